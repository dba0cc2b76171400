import { propertiesOf } from '../checks/any-error.ts'
import type { Mail, MailTransport } from './transport.ts'

/** How long one mail may take. */
const mostMs = 30_000

/**
 * Has a transport send a mail. Nobody waits longer for it than 30 seconds, or until `stop` is aborted.
 * @throws what the transport rejects with, or the reason of the abort
 */
export async function transmit (
  transport: MailTransport, mail: Mail, attempt: number, stop = new AbortController()
): Promise<void> {
  const { signal } = stop
  const limit = AbortSignal.timeout(mostMs)
  limit.addEventListener('abort', () => stop.abort(limit.reason))
  const aborted = Promise.withResolvers<never>()
  signal.addEventListener('abort', () => aborted.reject(signal.reason))
  try {
    await Promise.race([transport.send(mail, { signal, attempt }), aborted.promise])
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  }
}

/**
 * The class of an error, or its code where it has one: what a server says may hold anything, and is neither logged nor
 * stored.
 */
export function errorName (error: unknown): string {
  const { code, name } = propertiesOf(error)
  return String(typeof code === 'string' ? code : name ?? typeof error).replaceAll(/[^\w-]/g, '').slice(0, 64) || 'Error'
}
