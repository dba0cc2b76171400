import type { EntityManager } from '@mikro-orm/core'
import type { Database } from '../../database/database.ts'
import { inTransactionOf } from '../../database/transactions.ts'
import { User } from '../../users/entity.ts'
import { CredentialsInvalid } from '../../sign-in/errors.ts'
import type { Events } from '../../events/events.ts'
import type { PasswordEvents } from './events.ts'
import type { Client } from '../../http/request.ts'
import type { Hasher } from './hasher.ts'
import type { LookUp, Stored } from '../../users/look-up.ts'

/**
 * Checks passwords. All work alike for whoever it is, and for nobody.
 * @throws {Busy} each of them
 */
export interface Credentials {
  /**
   * The user who was looked for by name or address, if that is the password. One that is not judged is wrong, whatever
   * it is.
   * @throws {CredentialsInvalid} one 401, after the same work, for a wrong name, a wrong password and a disabled user
   */
  identify: (
    found: Stored | null,
    isJudged: boolean,
    password: string,
    client: Client,
    gone?: AbortSignal,
  ) => Promise<User>
  /**
   * Checks the password of a user who is signed in.
   * @throws {CredentialsInvalid}
   */
  confirm: (id: string, password: string, client: Client, gone?: AbortSignal) => Promise<User>
  /** The user, by name, address or id, if that is the password, and nobody has disabled them; else null. */
  match: (idOrIdentifier: string, password: string, em?: EntityManager) => Promise<User | null>
}

export function createCredentials (
  database: Database,
  events: Events<PasswordEvents>,
  hasher: Hasher,
  { stored }: LookUp
): Credentials {
  async function check (
    found: Stored | null,
    password: string,
    gone?: AbortSignal,
    em?: EntityManager
  ): Promise<User | null> {
    // Whoever is disabled is nobody, so that a right password takes no less work than a wrong one.
    const somebody = found?.isDisabled ? null : found
    const { matches, stronger } = await hasher.verify(somebody?.passwordHash, password, gone)
    if (!somebody || !matches) return null

    const user = somebody.user()
    if (stronger !== undefined) {
      // Only over the hash that was verified: a password changed meanwhile stays changed.
      const { id, passwordHash } = somebody
      const replaced = await inTransactionOf(
        database,
        em
      )((tx) => tx.nativeUpdate(User, { id, passwordHash }, { passwordHash: stronger }))
      if (replaced === 1) user.passwordHash = stronger
    }
    return user
  }

  async function require (
    found: Stored | null,
    isJudged: boolean,
    password: string,
    reason: 'login' | 'confirm',
    client: Client,
    gone?: AbortSignal
  ): Promise<User> {
    const user = await check(isJudged ? found : null, password, gone)
    if (user) return user
    await events.happen({ type: 'login-failed', reason, userId: found?.id, client })
    throw new CredentialsInvalid()
  }

  return {
    identify: (found, isJudged, password, client, gone) => require(found, isJudged, password, 'login', client, gone),
    confirm: async (id, password, client, gone) =>
      require(await stored.byId(id), true, password, 'confirm', client, gone),
    match: async (text, password, em) => check(await stored.find(text, em), password, undefined, em),
  }
}
