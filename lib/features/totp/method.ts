import { randomBytes } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import { clientOf } from '../../http/request.ts'
import { FactorInvalid } from '../factors/errors.ts'
import type { FactorCounters } from '../factors/events.ts'
import type { Method } from '../factors/factors.ts'
import type { Spine } from '../spine.ts'
import { stepOf, type Codes } from './code.ts'
import type { TotpRows } from './rows.ts'
import type { Seeds } from './seeds.ts'

export interface TotpParts {
  codes: Codes
  rows: TotpRows
  seeds: Seeds
}

export const CodeSchema = Type.String({
  maxLength: 32, description: 'The code that the app shows, with or without a space.', examples: ['123 456'],
})

/** A seed that nobody has: for users without an app a code takes the same time. */
const nobodysSeed = randomBytes(20)

/** How a code of an authenticator app is proved. */
export function totpMethod ({ database, events, telemetry }: Spine, { codes, rows, seeds }: TotpParts): Method {
  const counters = telemetry.counters as FactorCounters

  return {
    name: 'totp',
    field: 'code',
    FieldSchema: CodeSchema,
    isGuessable: true,
    isFactor: true,
    isSetUpFor: async (em, userId) => await rows.find(em, userId) !== undefined,

    async check (typed, { id: userId, passwordChangedAt }, _, request) {
      const row = await database.run((em) => rows.find(em, userId))
      const { seed = nobodysSeed, ...kept } = row ? seeds.open(row, userId) : {}
      const isPaid = await database.run((em) => rows.pay(em, userId, passwordChangedAt))
      const after = row?.lastStep ?? 0
      const step = stepOf(codes, seed, typed as string, { now: Date.now(), after })
      if (!row || !isPaid || step === undefined) {
        const isShutByThis = await database.run((em) => rows.noteShut(em, userId))
        const client = clientOf(request)
        if (isShutByThis) await events.happen({ type: 'factor-shut', reason: 'totp', userId, client })
        throw new FactorInvalid()
      }
      return {
        proved: { acr: 'aal2', amr: ['otp', 'mfa'] },
        async spend (tx) {
          const success = { ...kept as typeof row, userId, lastStep: step, before: row.sealed }
          if (await rows.succeed(tx, success)) return
          counters.spentTwice++
          throw new FactorInvalid()
        },
      }
    },

    shown: {
      name: 'totp',
      Schema: Type.Union([
        Type.Object({
          created_at: Type.String({ format: 'date-time', examples: ['2026-01-05T08:00:00.000Z'] }),
          last_used_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], { examples: [null] }),
        }),
        Type.Null(),
      ], { description: 'The authenticator app. null where there is none.' }),
      async of (em, userId) {
        const row = await rows.find(em, userId)
        if (!row) return null
        const { createdAt, lastUsedAt } = row
        return { created_at: createdAt.toISOString(), last_used_at: lastUsedAt?.toISOString() ?? null }
      },
    },
    remove: rows.remove,
    removeSince: rows.removeSince,
    reopen: rows.reopen,
  }
}
