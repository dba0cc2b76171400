import { clientOf, type AnyRequest } from '../../http/request.ts'
import type { Beginning } from '../../sessions/births.ts'
import { transportOf } from '../../sign-in/sign-in.ts'
import type { Proved } from '../../tokens/levels.ts'
import type { Flow } from './flow.ts'
import type { Person } from './person.ts'
import type { Provider } from './provider.ts'

/** Somebody who has come back from a provider, which has said who they are. */
export interface Arrival {
  request: AnyRequest
  flow: Flow
  provider: Provider
  person: Person
}

/** A flow that is bound to its client needs no other proof that a page of the app's own has asked. */
export function beginningOf (request: AnyRequest, { transport, remember = true }: Flow): Beginning {
  return { ...clientOf(request), request, transport: transportOf(transport, remember) }
}

/** A provider is one factor, unless the app takes its word for two. */
export function provedBy ({ acr }: Pick<Person, 'acr'>): Pick<Proved, 'amr'> & Partial<Proved> {
  return acr ? { acr, amr: ['fed', 'mfa'] } : { amr: ['fed'] }
}
