import { randomBytes } from 'node:crypto'
import type { Beginning } from '../../sessions/births.ts'
import type { Grant } from '../../sign-in/grant.ts'
import { UserExists } from '../../users/errors.ts'
import { provedBy, type Arrival } from './arrival.ts'
import { RegistrationIncomplete } from './errors.ts'
import { Moved, type Keeping } from './keeping.ts'
import type { Candidate, ReadCandidate } from './newcomers.ts'
import type { ProviderParts } from './parts.ts'
import type { RegistrationTickets } from './tickets.ts'

/**
 * Opens an account for an identity that nobody has, and signs in. `withAddress`: with the one that the provider vouches
 * for. `more` is missing of it in any case.
 * @throws {RegistrationIncomplete} with a ticket, where the account needs more than the provider says
 * @throws {Moved} where the identity or the address is somebody's meanwhile
 */
export type RegisterNewcomer = (
  arrival: Arrival, beginning: Beginning, withAddress: boolean, more?: string[]
) => Promise<Grant>

export function createRegisterNewcomer (
  { spine, register, rows, settings: { hooks: { onRegister } } }: ProviderParts, keeping: Keeping,
  readCandidate: ReadCandidate, tickets: RegistrationTickets | undefined
): RegisterNewcomer {
  const { database, users: { draft, fields, publicUsers } } = spine

  /** The flow is used up, and goes on with a ticket where there is one. */
  async function askForMore ({ flow, provider, person }: Arrival, candidate: Candidate, missing: string[]) {
    await database.transaction((tx) => keeping.spend(tx, flow))
    const half = tickets?.give(flow, {
      jti: randomBytes(16).toString('base64url'),
      provider: provider.id,
      issuer: person.issuer,
      subject: person.subject,
      said: person.email,
      email: candidate.email,
      username: candidate.username,
      profile: candidate.profile,
    })
    return new RegistrationIncomplete(half ?? { cookies: [] }, missing)
  }

  return async (arrival, beginning, withAddress, more = []) => {
    const { request, flow, provider, person } = arrival
    const candidate = readCandidate(person, withAddress)
    const missing = [...more, ...candidate.missing]
    if (missing.length > 0) throw await askForMore(arrival, candidate, missing)

    const { username, email, profile } = candidate
    const past = email === undefined ? {} : { emailVerifiedAt: new Date() }
    const user = await draft({ username, email, past }, { ...fields.given, ...profile }, () => '')
    const opening = register.openFor(request, beginning)
    const granted = await opening.store(user, await opening.givenByHost(user), {
      within: (tx) => keeping.spend(tx, flow),
      added: (tx) => keeping.add(tx, user.id, provider, person),
      happening: { type: 'identity-linked', reason: provider.id },
      join: (callHost, tx) => callHost(tx, onRegister, publicUsers.of(user), { username, email, ...profile }),
    }, { acr: 'aal1', ...provedBy(person) }).catch(async (error) => {
      if (!(error instanceof UserExists)) throw error
      // Of two who arrive at once the other one has it.
      if (error.field === 'email' || await database.run((em) => rows.find(em, person))) throw new Moved()
      throw await askForMore(arrival, { ...candidate, username: undefined }, [error.field])
    })
    keeping.tell(user, { provider, person, request })
    await opening.tell(granted)
    return granted
  }
}
