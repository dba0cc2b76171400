import type { Transport } from '../../transport/options.ts'
import type { AccessClaims } from '../../tokens/claims.ts'
import type { Passing } from './sealed.ts'

/** What somebody wants of a provider. */
export type FlowUse = typeof flowUses[number]

export const flowUses = ['login', 'link', 'reauthenticate'] as const

/** What travels to a provider and back, sealed, as `state`: any process may go on with it. */
export interface Flow extends Passing {
  use: FlowUse
  verifier: string
  nonce: string
  /** Where the browser goes at the end: an absolute URL. */
  returnTo: string
  /** How the tokens are to travel. With cookies the flow is bound to a browser by one, too. */
  transport: Transport
  /** Whether cookies outlive the browser window. */
  remember?: boolean | undefined
  /** With tokens in bodies: the PKCE challenge of the client, which alone is answered. */
  challenge?: string | undefined
  /** Of whoever is signed in and asks for it. */
  session?: Pick<AccessClaims, 'sub' | 'sid' | 'gen' | 'ver'> | undefined
}

/** What a client with tokens in bodies is given in place of an answer: by it, and its verifier, the flow goes on. */
export interface FlowCode extends Passing {
  flow: Flow
  /** The id of the provider. */
  provider: string
  /** The code of the provider. */
  code: string
  /** The form in which the provider has said a name, which it says once (Apple). */
  user?: string | undefined
}

/** Between the request for authorization and the answer. */
export const flowSeconds = 600

/** Between the answer and the exchange. */
export const codeSeconds = 60
