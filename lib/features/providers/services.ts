import { inTransactionOf, type InTransaction } from '../../database/transactions.ts'
import { OptionsInvalid } from '../../http/errors.ts'
import { knownOptions } from '../../http/service-options.ts'
import { isId } from '../../tokens/claims.ts'
import { NotFound } from '../../users/errors.ts'
import { IdentityTaken } from './errors.ts'
import type { GiveTokens, TokensOfProvider } from './giving-tokens.ts'
import type { Keeping } from './keeping.ts'
import type { ProviderParts } from './parts.ts'
import type { RemoveIdentity } from './removing.ts'
import type { IdentityRow } from './rows.ts'

/** An identity at another provider, as services give it. */
export type IdentityInfo =
  Pick<IdentityRow, 'id' | 'provider' | 'issuer' | 'subject' | 'email' | 'createdAt' | 'lastUsedAt'>

/** An identity that code gives to a user, of somebody who has been moved here from another system. */
export interface NewIdentity {
  /** The id of one of `providers`. */
  provider: string
  /** The provider's own name for the user. */
  subject: string
  /** Default that of the provider. Needed where its issuers are many, as of Microsoft with many tenants. */
  issuer?: string
  email?: string
}

/** What code may do with identities, with the option `providers`. Options they do not know are `OptionsInvalid`. */
export interface IdentityServices {
  /** The identities of a user, the oldest first. */
  list: (userId: string, options?: InTransaction) => Promise<IdentityInfo[]>
  /**
   * Gives a user an identity.
   * @throws {NotFound} where there is no such user
   * @throws {IdentityTaken} where somebody has it already
   * @throws {OptionsInvalid} for a provider that is not among those of the options
   */
  link: (userId: string, identity: NewIdentity, options?: InTransaction) => Promise<void>
  /**
   * Takes an identity away from a user.
   * @throws {NotFound} where the user has no such identity
   * @throws {LastCredential} where nothing would be left that signs in
   */
  unlink: (userId: string, id: string, options?: InTransaction) => Promise<void>
  /**
   * The tokens of a user at a provider with `storeTokens`, new ones where they are over in a minute and the provider
   * gives some. Null where there are none.
   * @throws {ProviderFailed} where the provider gives no new ones
   */
  tokens: (userId: string, provider: string) => Promise<TokensOfProvider | null>
}

export function createIdentityServices (
  { spine: { database, sessions: { revocationLog }, users: { lookUp } }, clients, rows }: ProviderParts,
  keeping: Keeping, remove: RemoveIdentity, giveTokens: GiveTokens
): IdentityServices {
  return {
    async list (userId, options = {}) {
      const { em } = knownOptions('identities.list', ['em'], options)
      if (!isId(userId)) return []
      const found = await inTransactionOf(database, em)((tx) => rows.ofUser(tx, userId))
      return found.map(({ id, provider, issuer, subject, email, createdAt, lastUsedAt }) =>
        ({ id, provider, issuer, subject, email, createdAt, lastUsedAt }))
    },

    async link (userId, identity, options = {}) {
      const { em } = knownOptions('identities.link', ['em'], options)
      const { provider: id, subject, issuer: given, email } =
        knownOptions('identities.link', ['provider', 'subject', 'issuer', 'email'], identity)
      const found = clients.find(({ provider }) => provider.id === id)
      if (!found) throw new OptionsInvalid(`there is no provider ${id} among the options`)
      const { provider } = found
      const issuer = given ?? provider.issuer
      if (![issuer, subject].every((text) => typeof text === 'string' && text !== '' && text.length <= 255)) {
        throw new OptionsInvalid('identities.link() needs a subject and an issuer of 1 to 255 characters')
      }
      if (!isId(userId)) throw new NotFound()
      await revocationLog.record(async (tx, _, note) => {
        const user = await lookUp.locked(tx, userId)
        if (!user) throw new NotFound()
        await keeping.link(tx, user, note, { provider, person: { issuer, subject, email } }, IdentityTaken)
      }, em)
    },

    async unlink (userId, id, options = {}) {
      const { em } = knownOptions('identities.unlink', ['em'], options)
      if (!isId(userId)) throw new NotFound()
      await revocationLog.record(async (tx, _, note) => {
        const user = await lookUp.locked(tx, userId)
        if (!user) throw new NotFound()
        await remove(tx, user, id, { note })
      }, em)
    },

    async tokens (userId, provider) {
      return isId(userId) ? giveTokens(userId, provider) : null
    },
  }
}
