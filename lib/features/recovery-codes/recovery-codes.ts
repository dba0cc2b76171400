import { Type } from '@sinclair/typebox'
import type { EntityManager } from '@mikro-orm/core'
import type { Database } from '../../database/database.ts'
import { clientOf } from '../../http/request.ts'
import { FactorInvalid } from '../factors/errors.ts'
import type { FactorCounters } from '../factors/events.ts'
import type { Method } from '../factors/factors.ts'
import { newRecoveryCode, readRecoveryCode } from './code.ts'
import { createCodeRows, type CodeRows } from './rows.ts'

/** What features use that give somebody a first factor, or take the last away. */
export interface RecoveryCodes {
  /** The codes of an answer. */
  Schema: typeof RecoveryCodesSchema
  /** Makes the codes of a user, who is locked; those of before are void. Nobody sees them again. */
  renew: (tx: EntityManager, userId: string) => Promise<string[]>
  /** Makes the codes of a user, who is locked, unless there are some left. */
  giveFirst: (tx: EntityManager, userId: string) => Promise<string[] | undefined>
  /** Takes them away. False where there were none. */
  remove: (tx: EntityManager, userId: string) => Promise<boolean>
}

const RecoveryCodesSchema = Type.Array(Type.String(), {
  description: 'The recovery codes, each valid once. They are never shown again: the user has to keep them.',
  examples: [['7ZK3M-Q9XWV-0TB4H-N2D8R-6JC', 'F5PYA-1SGE7-K8VQ0-3XMZ4-B9W']],
})

export function createRecoveryCodes (database: Database, count: number): { codes: RecoveryCodes, rows: CodeRows } {
  const rows = createCodeRows(database)

  async function renew (tx: EntityManager, userId: string): Promise<string[]> {
    await rows.remove(tx, userId)
    const codes = Array.from({ length: count }, newRecoveryCode)
    const createdAt = new Date()
    for (const code of codes) await rows.insert(tx, userId, readRecoveryCode(code)!, createdAt)
    return codes
  }

  return {
    rows,
    codes: {
      Schema: RecoveryCodesSchema,
      renew,
      giveFirst: async (tx, userId) => (await rows.left(tx, userId))?.left ? undefined : renew(tx, userId),
      remove: async (tx, userId) => await rows.remove(tx, userId) > 0,
    },
  }
}

/** How a recovery code is proved. */
export function recoveryMethod (
  database: Database, { codes, rows }: ReturnType<typeof createRecoveryCodes>, counters: FactorCounters
): Method {
  return {
    name: 'recovery',
    field: 'recovery_code',
    FieldSchema: Type.String({
      maxLength: 64,
      description: 'A recovery code, in any case, with or without hyphens.',
      examples: ['7ZK3M-Q9XWV-0TB4H-N2D8R-6JC'],
    }),
    // 115 bits: whoever guesses is slowed down by the network alone, and never holds up the user.
    isGuessable: false,
    isFactor: false,
    isSetUpFor: async (em, userId) => Boolean((await rows.left(em, userId))?.left),

    async check (typed, { id: userId }, _, request) {
      const code = readRecoveryCode(typed as string) ?? ''
      const id = await database.run((em) => rows.find(em, userId, code))
      if (id === undefined) throw new FactorInvalid()
      return {
        proved: { acr: 'aal2', amr: ['recovery', 'mfa'] },
        async spend (tx, note) {
          if (!await rows.spend(tx, userId, id)) {
            counters.spentTwice++
            throw new FactorInvalid()
          }
          const { left } = (await rows.left(tx, userId))!
          await note({ type: 'recovery-code-used', userId, client: clientOf(request), data: { left } })
        },
      }
    },

    shown: {
      name: 'recovery_codes',
      Schema: Type.Union([
        Type.Object({
          left: Type.Integer({ description: 'How many are not used yet.', examples: [10] }),
          created_at: Type.String({ format: 'date-time', examples: ['2026-01-05T08:00:00.000Z'] }),
        }),
        Type.Null(),
      ], { description: 'null where there are none.' }),
      async of (em, userId) {
        const found = await rows.left(em, userId)
        return found ? { left: found.left, created_at: found.createdAt.toISOString() } : null
      },
    },
    remove: codes.remove,
    removeSince: rows.removeSince,
  }
}
