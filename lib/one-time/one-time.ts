import { isDeepStrictEqual } from 'node:util'
import type { EntityManager } from '@mikro-orm/core'
import { v7 as uuid } from 'uuid'
import type { Database } from '../database/database.ts'
import { inTransactionOf } from '../database/transactions.ts'
import type { User } from '../users/entity.ts'
import { ProofInvalid } from './errors.ts'
import { lifeOf, type Purpose } from './purposes.ts'
import { createRows, isGood, type OneTimeRow } from './rows.ts'
import type { OneProof } from './schema.ts'
import {
  challengeHash, createOneTimeSecrets, newSalt, readCode, readToken, type OneTimeSecrets,
} from './secrets.ts'

/** What is to be proved once. */
export interface Wanted extends Pick<OneTimeRow, 'purpose' | 'address' | 'addressKey'> {
  /** Whose it is, locked in the same transaction. Nobody's where there is no user yet. */
  user?: Pick<User, 'id' | 'epoch'> | undefined
  /** The hash of the challenge of whoever asked. None where nobody asked. */
  challenge?: string | null
  /** Whether all that ends the user's sessions makes it void too. */
  bindsEpoch?: boolean
  data?: Record<string, unknown>
  /** In place of what the purpose has. */
  seconds?: number
}

/** What guesses cost, which is counted elsewhere. */
export interface Guessing {
  /** Called before a code is judged. False beyond the limit of its address: then it is wrong, whatever it is. */
  mayGuess: (row: OneTimeRow) => Promise<boolean>
  /** Called for a wrong code, and without a row for a code or a link that nobody was given. */
  failed: (row?: OneTimeRow) => Promise<void>
  /** Called for a right code. */
  succeeded: (row: OneTimeRow) => Promise<void>
}

/**
 * Values that are good for one purpose, once. Whoever makes or uses one has locked its user before, in the same
 * transaction: users are locked before these rows, everywhere.
 */
export interface OneTimes extends Pick<OneTimeSecrets, 'tokenOf' | 'codeOf' | 'isCode'> {
  /**
   * The row to prove by: the one of the same purpose, challenge, user, address and data whose code is still good, with
   * the link and code that it has had from the beginning, or a new one. Of a user three of a purpose are good; a fourth
   * voids the oldest, but for what keeps older ones.
   */
  make: (tx: EntityManager, wanted: Wanted) => Promise<OneTimeRow>
  /**
   * The row that a proof is of, checked but not used yet. A code is paid for before it is judged: five tries at one
   * row, however many at once.
   * @throws {ProofInvalid} one 400 for all that does not hold, whatever the reason
   */
  check: (purpose: Purpose, proof: OneProof, guessing: Guessing) => Promise<OneTimeRow>
  /** Looks at the row of a link of these purposes without using it. Undefined for one that is not good. */
  peek: (purposes: Purpose[], token: string, em?: EntityManager) => Promise<OneTimeRow | undefined>
  /**
   * Uses a row up, in a transaction that has locked the user: of many at once one alone succeeds. The others of the
   * same purpose and user go with it, but for older ones of what keeps them.
   * @throws {ProofInvalid}
   */
  use: (tx: EntityManager, row: OneTimeRow) => Promise<void>
  /** Makes void what is good of a user who is locked, of these purposes or of all. */
  voidOf: (tx: EntityManager, userId: string, purposes?: Purpose[]) => Promise<void>
  /** A row, good or not. */
  find: (em: EntityManager, id: string) => Promise<OneTimeRow | undefined>
}

/** How many rows of one user and purpose are good at a time. */
const mostLiving = 3

export function createOneTimes (database: Database, keys: Buffer[], digits: number): OneTimes {
  const { tokenOf, codeOf, isToken, isCode } = createOneTimeSecrets(keys, digits)
  const rows = createRows(database)

  async function byToken (purposes: Purpose[], token: string, em?: EntityManager): Promise<OneTimeRow | undefined> {
    const read = readToken(token)
    const row = read && await inTransactionOf(database, em)((tx) => rows.find(tx, read.id))
    // The same work for an id that nobody has.
    const isMade = isToken(row ?? nobody, read?.mac ?? '')
    return row && isMade && purposes.includes(row.purpose) ? row : undefined
  }

  async function byCode (
    purpose: Purpose, challenge: string, code: string, guessing: Guessing
  ): Promise<OneTimeRow | undefined> {
    const [row] = await database.run((em) => rows.findByChallenge(em, challengeHash(challenge), purpose))
    if (!row || !await database.run((em) => rows.pay(em, row.id))) return
    const isJudged = await guessing.mayGuess(row)
    if (!isJudged || !isInTime(row) || !isCode(row, readCode(code))) {
      await guessing.failed(row)
      throw new ProofInvalid()
    }
    await guessing.succeeded(row)
    await database.run((em) => rows.payBack(em, row.id))
    return row
  }

  return {
    tokenOf,
    codeOf,
    isCode,
    find: rows.find,

    async make (tx, wanted) {
      const { purpose, user, address, addressKey, challenge = null, bindsEpoch = false, data = null } = wanted
      const userId = user?.id ?? null
      const epoch = bindsEpoch ? user!.epoch : null
      const { keepsOlder, seconds: usual } = lifeOf(purpose)
      if (challenge) {
        const found = await rows.findByChallenge(tx, challenge, purpose)
        const same = found.find((row) => isGood(row) && isInTime(row) && row.addressKey === addressKey &&
          row.userId === userId && row.epoch === epoch && isDeepStrictEqual(row.data, data))
        if (same) return same
        // It stands for one row: who asks for somebody else has no more use for the one before.
        for (const { id } of found) await rows.spend(tx, id)
      }
      const living = userId && !keepsOlder ? await rows.living(tx, userId, purpose) : []
      for (const { id } of living.slice(mostLiving - 1)) await rows.spend(tx, id)

      const createdAt = new Date()
      const { seconds = usual! } = wanted
      const row: OneTimeRow = {
        id: uuid(),
        purpose,
        userId,
        address,
        addressKey,
        salt: newSalt(),
        challenge,
        epoch,
        data,
        createdAt,
        expiresAt: new Date(createdAt.getTime() + seconds * 1000),
        usedAt: null,
      }
      await rows.insert(tx, row)
      return row
    },

    async check (purpose, proof, guessing) {
      const row = 'token' in proof
        ? await byToken([purpose], proof.token)
        : await byCode(purpose, proof.challenge_id, proof.code, guessing)
      if (row && isGood(row)) return row
      await guessing.failed()
      throw new ProofInvalid()
    },

    async peek (purposes, token, em) {
      const row = await byToken(purposes, token, em)
      return row && isGood(row) ? row : undefined
    },

    async use (tx, { id, userId, purpose }) {
      if (!await rows.spend(tx, id)) throw new ProofInvalid()
      if (userId) await rows.spendAll(tx, userId, [purpose], lifeOf(purpose).keepsOlder && id)
    },

    voidOf: rows.spendAll,
  }
}

/** What a MAC is computed of where there is no row. */
const nobody = { id: '00000000-0000-7000-8000-000000000000', purpose: 'verify', salt: '', addressKey: '' } as const

/** True while the code of a row is good, which is over before the link. */
function isInTime ({ purpose, createdAt }: OneTimeRow): boolean {
  const { codeSeconds = 0 } = lifeOf(purpose)
  return Date.now() < createdAt.getTime() + codeSeconds * 1000
}
