import { Type } from '@sinclair/typebox'
import { v7 as uuid } from 'uuid'
import { InputInvalid } from '../../http/errors.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import type { Seal } from '../../secrets/seal.ts'
import { TokenExpired, TokenInvalid } from '../../tokens/errors.ts'
import type { Profile } from '../../users/fields.ts'
import { identifierKey } from '../../users/identifiers.ts'
import type { Instead } from '../register/instead.ts'
import { IdentityTaken, type HalfRegistered } from './errors.ts'
import type { Flow } from './flow.ts'
import type { Keeping } from './keeping.ts'
import type { ProviderParts } from './parts.ts'
import { createSealedTexts, isOver, nowSeconds, type Passing } from './sealed.ts'

/** What a provider has said of somebody who is to register: only whoever has the ticket goes on with it. */
interface Said extends Passing {
  /** The provider's id. */
  provider: string
  issuer: string
  subject: string
  /** The address that the provider says, whether it vouches for it or not. */
  said: string | undefined
  /** The address that it vouches for. */
  email: string | undefined
  username: string | undefined
  profile: Profile
}

/** Tickets of those whom a provider has named, and whose account needs more. Nothing is stored until one is used. */
export interface RegistrationTickets {
  /** Where the session is to be in cookies it travels in a cookie too. */
  give: (flow: Flow, said: Omit<Said, 'exp'>) => HalfRegistered
  /** What goes in a password's place. */
  instead: Instead
}

/** Somebody fills in a form meanwhile. */
const ticketSeconds = 600

/** What a provider says is left out of a ticket that would fit no cookie. */
const mostLength = 2000

/** Of whichever provider. */
const anyProvider = '*'

export function createRegistrationTickets (
  { spine, clients }: ProviderParts, keeping: Keeping, seal: Seal
): RegistrationTickets {
  const { database: { commits }, settings: { name }, transport: { cookies }, users: { lookUp } } = spine
  const texts = createSealedTexts<Said>(seal, name, 'provider-registration', anyProvider)

  function read (text: string): Said {
    const said = texts.open(text)
    if (!said) throw new TokenInvalid()
    if (isOver(said)) throw new TokenExpired()
    return said
  }

  return {
    give ({ transport }, { profile, ...said }) {
      const isShort = JSON.stringify(profile).length <= mostLength
      const ticket = texts.seal({ ...said, profile: isShort ? profile : {}, exp: nowSeconds() + ticketSeconds })
      return transport === 'body'
        ? { ticket, expires_in: ticketSeconds, cookies: [] }
        : { expires_in: ticketSeconds, cookies: [cookies.keep('ticket', ticket, ticketSeconds)] }
    },

    instead: {
      fields: {
        ticket: Type.String({
          maxLength: 8192, description: 'Of the refusal that asked for more than a provider has said.',
        }),
      },
      AnswerFields: {},
      Refusals: [TokenInvalid, TokenExpired, TokenRevoked, IdentityTaken],
      bringsMore: true,

      broughtBy (request) {
        const ticket = cookies.read(request, 'ticket')
        return ticket !== undefined && texts.open(ticket) ? { ticket } : undefined
      },

      async check ({ ticket }, { email: typed }) {
        const said = read(ticket as string)
        const { email, username, profile } = said
        const provider = clients.map((client) => client.provider).find(({ id }) => id === said.provider)
        if (!provider) throw new TokenInvalid()
        if (email !== undefined && typed !== undefined && identifierKey(typed) !== identifierKey(email)) {
          throw new InputInvalid('body/email must be left out: the provider has said it')
        }
        return {
          id: uuid(),
          columns: email === undefined ? {} : { emailVerifiedAt: new Date() },
          brings: { names: { username, email }, profile },
          proved: { acr: 'aal1', amr: ['fed'] },
          happening: { type: 'identity-linked', reason: provider.id },
          cookies: [cookies.drop('ticket')],
          spend: (tx) => keeping.spend(tx, said, TokenRevoked),
          async store (tx, userId) {
            const person = { ...said, email: said.said }
            await keeping.add(tx, userId, provider, person, IdentityTaken)
            const user = await lookUp.byId(userId, tx)
            commits.after(tx, () => keeping.tell(user!, { provider, person }))
            return {}
          },
        }
      },
    },
  }
}
