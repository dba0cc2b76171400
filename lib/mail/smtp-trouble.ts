import { propertiesOf } from '../checks/any-error.ts'
import { errorName } from './transmit.ts'

/** What is to be mended, by the name of an error of nodemailer. */
const troubles: Record<string, string> = {
  EDNS: 'its name is not known',
  ECONNECTION: 'it closed the connection',
  ETIMEDOUT: 'it did not answer in time',
  TimeoutError: 'it did not answer in time',
  ESOCKET: 'the connection failed',
  ETLS: 'it offers no TLS, or none that works',
  EPROTOCOL: 'it does not speak SMTP, or refuses everybody',
  EAUTH: 'it refuses the user or the password',
  ENOAUTH: 'it wants a user and a password',
  EOAUTH2: 'it refuses the token of OAuth',
  EENVELOPE: 'it refuses the sender or the recipient',
  EMESSAGE: 'it refuses the mail',
}

/** What an envelope was refused for, by the command of SMTP that was answered. */
const refusedFor: Record<string, string> = {
  'MAIL FROM': 'it refuses the sender',
  'RCPT TO': 'it refuses the recipient',
}

/** What a socket says, by the code that the system or OpenSSL has given it. */
const socketTroubles: [code: RegExp, trouble: string][] = [
  [/^ECONNREFUSED$/, 'nothing listens there'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'its name is not known'],
  [/^(EHOSTUNREACH|ENETUNREACH)$/, 'there is no way to it'],
  [/CERT|_ISSUER|SIGNATURE/, 'its certificate is not one that this machine trusts'],
  [/SSL|TLS/, 'it offers no TLS, or none that works'],
]

/**
 * Why a server did not take a mail, as the end of a sentence, with the code of the error and that of SMTP. Nothing of
 * what the server has said: that may hold anything.
 */
export function troubleOf (error: unknown): string {
  const { responseCode, command, originalCode } = propertiesOf(error)
  const name = errorName(error)
  const inner = typeof originalCode === 'string' ? originalCode : name
  const ofSocket = socketTroubles.find(([code]) => code.test(inner))?.[1]
  const ofEnvelope = name === 'EENVELOPE' ? refusedFor[String(command)] : undefined
  const codes = [name, ...inner === name ? [] : [errorName({ code: inner })], ...responseCode ? [responseCode] : []]
  return `${ofSocket ?? ofEnvelope ?? troubles[name] ?? 'something failed'} (${codes.join(', ')})`
}
