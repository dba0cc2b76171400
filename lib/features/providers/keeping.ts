import type { EntityManager } from '@mikro-orm/core'
import { v7 as uuid } from 'uuid'
import { clientOf, sourceOf, type AnyRequest } from '../../http/request.ts'
import type { Note } from '../../sessions/revocation-log.ts'
import type { Hooks } from '../../sessions/options.ts'
import type { Telling } from '../../host/hooks.ts'
import type { User } from '../../users/entity.ts'
import type { PublicFields } from '../../users/public-user.ts'
import { FlowInvalid } from './errors.ts'
import type { OnIdentityLinked } from './options.ts'
import type { ProviderParts } from './parts.ts'
import type { Person } from './person.ts'
import type { Provider } from './provider.ts'
import type { IdentityRow } from './rows.ts'
import type { Passing } from './sealed.ts'
import { noTokens } from './stored-tokens.ts'

/** Thrown in a transaction where something is not as it was when it was decided what to do: it is decided anew. */
export class Moved extends Error {
  /** What bears a code of ours comes out of a transaction as it is. Nobody is answered by it. */
  declare code: string

  constructor () {
    super()
    this.code = 'ACCOUNTS_IDENTITY_MOVED'
  }
}

/** What is written of identities and flows, in the transaction that it goes with. */
export interface Keeping {
  /**
   * Uses a flow up, or a ticket: of many at once one alone succeeds.
   * @throws {FlowInvalid} where it was used before, or what is given in its place
   */
  spend: (tx: EntityManager, passing: Passing, Refusal?: new () => Error) => Promise<void>
  /**
   * Notes the use of an identity that a user has.
   * @throws {Moved}
   */
  use: (tx: EntityManager, userId: string, row: IdentityRow, provider: Provider, person: Person) => Promise<void>
  /**
   * Gives a user an identity, and nothing else: for a user who is made in this transaction.
   * @throws {Moved} where somebody has it by now, or what is given in its place
   */
  add: (
    tx: EntityManager, userId: string, provider: Provider, person: KeptPerson, Refusal?: new () => Error
  ) => Promise<void>
  /**
   * Gives a user an identity, who is locked, and tells of it.
   * @throws {Moved} where somebody has it by now, or what is given in its place
   */
  link: (tx: EntityManager, user: User, note: Note, linked: Linked, Refusal?: new () => Error) => Promise<void>
  /** Tells the app of it, once it is committed. */
  tell: (user: PublicFields, linked: Linked) => void
}

/** An identity that is linked, and the request that asks for it. */
interface Linked {
  provider: Provider
  person: KeptPerson
  request?: AnyRequest | undefined
}

/** What is kept of a person. */
export type KeptPerson = Pick<Person, 'issuer' | 'subject' | 'email'> & Partial<Pick<Person, 'tokens'>>

export function createKeeping ({ spine, rows, spent, stored }: ProviderParts): Keeping {
  const { database, mail, telemetry, users: { publicUsers } } = spine
  const hooks: Hooks & Telling<{ onIdentityLinked: OnIdentityLinked }> = spine.hooks
  const counters = telemetry.counters as { spentTwice: number }

  function tokensOf ({ storeTokens }: Provider, { tokens }: KeptPerson, id: string) {
    return storeTokens && tokens ? stored.seal(tokens, id) : noTokens
  }

  const add: Keeping['add'] = async (tx, userId, provider, person, Refusal = Moved) => {
    const { issuer, subject, email } = person
    const [id, now] = [uuid(), new Date()]
    const row = { id, userId, provider: provider.id, issuer, subject, email: email ?? null }
    const isNew = await rows.insert(tx, {
      ...row, ...tokensOf(provider, person, id), createdAt: now, lastUsedAt: now,
    })
    if (!isNew) throw new Refusal()
  }

  const tell: Keeping['tell'] = (user, { provider, person: { email = null }, request }) =>
    hooks.onIdentityLinked?.(publicUsers.of(user), { provider: provider.id, email }, request ? sourceOf(request) : null)

  return {
    async spend (tx, { jti, exp }, Refusal = FlowInvalid) {
      if (await spent.spend(tx, 'flow', jti, new Date(exp * 1000))) return
      counters.spentTwice++
      throw new Refusal()
    },

    async use (tx, userId, { id }, provider, person) {
      const { email = null } = person
      if (!await rows.use(tx, userId, id, { email, ...tokensOf(provider, person, id) })) throw new Moved()
    },

    add,

    async link (tx, user, note, linked, Refusal) {
      const { provider, person, request } = linked
      const client = request && clientOf(request)
      await add(tx, user.id, provider, person, Refusal)
      await note({ type: 'identity-linked', reason: provider.id, userId: user.id, client })
      await mail?.notify(tx, 'identityLinked', user, { client })
      database.commits.after(tx, () => tell(user, linked))
    },

    tell,
  }
}
