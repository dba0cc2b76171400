import createError from '@fastify/error'
import { challenged } from '../../http/refusal.ts'
import { cookiesOfError } from '../../transport/keep.ts'

/** What somebody is given who has proved a first factor. */
export interface HalfDone {
  /** Undefined where it travels in a cookie. */
  ticket?: string | undefined
  /** Seconds. */
  expires_in: number
  /** Lines for `Set-Cookie`. */
  cookies: string[]
}

const Required = createError('ACCOUNTS_FACTOR_REQUIRED', 'A second factor is required', 403)
const EnrolmentRequired = createError('ACCOUNTS_FACTOR_ENROLMENT_REQUIRED',
  'A second factor must be set up first', 403)

/** The first factor was right: with a ticket, and what the user may prove next. */
export class FactorRequired extends Required {
  declare readonly ticket: string | undefined
  expires_in: number
  factors: string[]

  constructor ({ ticket, expires_in: seconds, cookies }: HalfDone = example, factors: string[] = ['totp', 'recovery']) {
    super()
    this.expires_in = seconds
    this.factors = factors
    hideIn(this, ticket, cookies)
  }
}

/** The first factor was right, and a second one has to be set up: with a ticket, and what the user may set up. */
export class FactorEnrolmentRequired extends EnrolmentRequired {
  declare readonly ticket: string | undefined
  expires_in: number
  may_enrol: string[]

  constructor ({ ticket, expires_in: seconds, cookies }: HalfDone = example, mayEnrol: string[] = ['totp']) {
    super()
    this.expires_in = seconds
    this.may_enrol = mayEnrol
    hideIn(this, ticket, cookies)
  }
}

/** Loggers write what is enumerable of an error, and a ticket is as good as the first factor. */
function hideIn (error: object, ticket: string | undefined, cookies: string[]): void {
  Object.defineProperty(error, 'ticket', { value: ticket })
  Object.defineProperty(error, cookiesOfError, { value: cookies })
}

/** For the document. */
const example: HalfDone = { ticket: 'eyJhbGciOiJIUzI1NiIsInR5cCI6InRpY2tldCtqd3QifQ…', expires_in: 300, cookies: [] }

export const FactorInvalid = challenged('ACCOUNTS_FACTOR_INVALID', 'The second factor is wrong')
export const FactorExists = createError('ACCOUNTS_FACTOR_EXISTS', 'This factor is already set up', 409)
export const FactorMissing = createError('ACCOUNTS_FACTOR_MISSING', 'There is no such factor', 404)
export const LastCredential = createError('ACCOUNTS_LAST_CREDENTIAL',
  'This is the last way to sign in, or a required factor, so it cannot be removed', 409)
