import type { EntityManager } from '@mikro-orm/core'
import type { Client } from '../client.ts'
import type { Database } from '../database.ts'
import { User } from '../entities/user.ts'
import { CredentialsInvalid } from '../errors.ts'
import type { Events } from '../events.ts'
import { inside } from '../inside.ts'
import type { Hasher } from '../passwords/hasher.ts'
import type { LookUp } from './look-up.ts'

/**
 * Checks passwords. All work alike for whoever it is, and for nobody.
 * @throws {Busy} each of them
 */
export interface Credentials {
  /**
   * The user who knows the password.
   * @throws {CredentialsInvalid} one 401, after the same work, for a wrong name, a wrong password and a disabled user
   */
  identify: (identifier: string, password: string, client: Client, gone?: AbortSignal) => Promise<User>
  /**
   * Checks the password of a user who is signed in.
   * @throws {CredentialsInvalid}
   */
  confirm: (id: string, password: string, client: Client, gone?: AbortSignal) => Promise<User>
  /** The user, by name, address or id, if that is the password, and nobody has disabled them; else null. */
  match: (idOrIdentifier: string, password: string, em?: EntityManager) => Promise<User | null>
}

export function createCredentials (database: Database, events: Events, hasher: Hasher, lookUp: LookUp): Credentials {
  async function check (found: User | null, password: string, gone?: AbortSignal, em?: EntityManager): Promise<User | null> {
    // Whoever is disabled is nobody, so that a right password takes no less work than a wrong one.
    const user = found?.disabledAt ? null : found
    const { matches, stronger } = await hasher.verify(user?.passwordHash, password, gone)
    if (!user || !matches) return null

    if (stronger !== undefined) {
      // Only over the hash that was verified: a password changed meanwhile stays changed.
      const { id, passwordHash } = user
      const replaced = await inside(database, em)((tx) => tx.nativeUpdate(User, { id, passwordHash }, { passwordHash: stronger }))
      if (replaced === 1) user.passwordHash = stronger
    }
    return user
  }

  async function require (user: User | null, password: string, reason: 'login' | 'confirm', client: Client, gone?: AbortSignal): Promise<User> {
    const checked = await check(user, password, gone)
    if (checked) return checked
    await events.happen({ type: 'login-failed', reason, userId: user?.id, client })
    throw new CredentialsInvalid()
  }

  return {
    identify: async (identifier, password, client, gone) => require(await lookUp.byIdentifier(identifier), password, 'login', client, gone),
    confirm: async (id, password, client, gone) => require(await lookUp.byId(id), password, 'confirm', client, gone),
    match: async (text, password, em) => check(await lookUp.find(text, em), password, undefined, em),
  }
}
