import createError from '@fastify/error'
import { cookiesOfError } from '../../transport/keep.ts'

export const FlowInvalid = createError('ACCOUNTS_FLOW_INVALID',
  'This sign-in was not begun here, took too long, or is over: begin it anew', 400)
export const ProviderFailed = createError('ACCOUNTS_PROVIDER_FAILED',
  'The provider could not say who it is', 502)
export const ProviderDenied = createError('ACCOUNTS_PROVIDER_DENIED',
  'The provider did not let it happen, or somebody said no there', 403)
export const IdentityUnlinked = createError('ACCOUNTS_IDENTITY_UNLINKED',
  'This identity belongs to no account here: sign in as usual, and link it', 409)
export const IdentityTaken = createError('ACCOUNTS_IDENTITY_TAKEN',
  'This identity belongs to another account', 409)
export const RegistrationClosed = createError('ACCOUNTS_REGISTRATION_CLOSED',
  'Nobody opens an account by this provider', 403)

const Incomplete = createError('ACCOUNTS_REGISTRATION_INCOMPLETE',
  'A new account needs more than the provider has said', 403)

/** What goes on with a registration that a provider has begun. */
export interface HalfRegistered {
  /** Undefined where it travels in a cookie, and where nothing can be added. */
  ticket?: string | undefined
  /** Seconds. */
  expires_in?: number | undefined
  /** Lines for `Set-Cookie`. */
  cookies: string[]
}

/** The provider has said who it is, and a new account needs more: with a ticket for the registration. */
export class RegistrationIncomplete extends Incomplete {
  declare readonly ticket: string | undefined
  expires_in: number | undefined
  missing: string[]

  constructor (half: HalfRegistered = example, missing: string[] = ['username']) {
    super()
    this.expires_in = half.expires_in
    this.missing = missing
    // Loggers write what is enumerable of an error, and a ticket is as good as the identity.
    Object.defineProperty(this, 'ticket', { value: half.ticket })
    Object.defineProperty(this, cookiesOfError, { value: half.cookies })
  }
}

/** For the document. */
const example: HalfRegistered = { ticket: 's1.Zk3q9PdA.mDq2…', expires_in: 600, cookies: [] }
