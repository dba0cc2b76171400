import type { EntityManager } from '@mikro-orm/core'
import type { Client } from '../client.ts'
import type { Database } from '../database.ts'
import { User } from '../entities/user.ts'
import { CredentialsInvalid } from '../errors.ts'
import type { Events } from '../events.ts'
import { inside } from '../inside.ts'
import type { Hasher } from '../passwords/hasher.ts'
import type { LookUp } from './look-up.ts'

/** Checks passwords. All work alike for whoever it is, and for nobody. */
export interface Credentials {
  /**
   * The user who knows the password.
   * @throws {CredentialsInvalid} one 401, after the same work, for a wrong name, a wrong password and a disabled user
   */
  identify: (identifier: string, password: string, client: Client) => Promise<User>
  /**
   * Checks the password of a user who is signed in.
   * @throws {CredentialsInvalid}
   */
  confirm: (id: string, password: string, client: Client) => Promise<User>
  /** The user, by name, address or id, if that is the password, and nobody has disabled them; else null. */
  match: (idOrIdentifier: string, password: string, em?: EntityManager) => Promise<User | null>
}

export function createCredentials (database: Database, events: Events, hasher: Hasher, lookUp: LookUp): Credentials {
  /** A hash that was cheaper than today's is made anew while the password is at hand. */
  async function check (user: User | null, password: string, em?: EntityManager): Promise<User | null> {
    const matches = await hasher.verify(user?.passwordHash, password)
    if (!user || !matches || user.disabledAt) return null

    const { id, passwordHash } = user
    if (hasher.needsRehash(passwordHash)) {
      const stronger = await hasher.hash(password)
      // Only over the hash that was verified: a password changed meanwhile stays changed.
      const replaced = await inside(database, em)((tx) => tx.nativeUpdate(User, { id, passwordHash }, { passwordHash: stronger }))
      if (replaced === 1) user.passwordHash = stronger
    }
    return user
  }

  async function require (user: User | null, password: string, reason: 'login' | 'confirm', client: Client): Promise<User> {
    const checked = await check(user, password)
    if (checked) return checked
    await events.happen({ type: 'login-failed', reason, userId: user?.id, client })
    throw new CredentialsInvalid()
  }

  return {
    identify: async (identifier, password, client) => require(await lookUp.byIdentifier(identifier), password, 'login', client),
    confirm: async (id, password, client) => require(await lookUp.byId(id), password, 'confirm', client),
    match: async (text, password, em) => check(await lookUp.find(text, em), password, em),
  }
}
