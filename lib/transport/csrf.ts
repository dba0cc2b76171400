import { createHmac } from 'node:crypto'
import { loopback } from '../checks/loopback.ts'
import { isEqual } from '../secrets/equal.ts'
import { CsrfFailed } from './errors.ts'
import { clientOf, storable, type AnyRequest } from '../http/request.ts'
import type { Telemetry } from '../events/events.ts'
import type { TransportEvents } from './events.ts'
import type { SharedClaims } from '../tokens/claims.ts'
import type { TransportSettings } from './options.ts'
import { inBody } from './locate.ts'

/** Keeps other sites from using the cookies that a browser sends along by itself. */
export interface Csrf {
  /** The value that a client of this session sends back in a header, which no other site can read. */
  valueFor: (sessionId: string, epoch: number) => string
  /** True for methods that need a proof on routes of the app's own. */
  isNeededFor: (method: string) => boolean
  /** True for the handshake of a WebSocket: any page may begin one, and its method is safe, but what follows is not. */
  isHandshake: (request: AnyRequest) => boolean
  /**
   * Checks a request that came in by a cookie and changes something.
   * @throws {CsrfFailed} that says what was missing, and how to send it
   */
  requireProof: (request: AnyRequest, claims: Pick<SharedClaims, 'sid' | 'ver'>) => void
  /**
   * Checks a request that is to get cookies and has brought none. It is JSON, which a form cannot send, and must not
   * come from a page of another origin.
   * @throws {CsrfFailed}
   */
  requireOwnSite: (request: AnyRequest) => void
  /** True when the browser says that a page of another origin sends the request. */
  isForeign: (request: AnyRequest) => boolean
}

/** Methods that change nothing: those of RFC 9110 §9.2.1, and QUERY. */
const safeMethods = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY']

/**
 * Makes the rule which methods need a proof: those of the list, or without a list all that are not known to be safe.
 */
export function proofRule (methods?: string[]): (method: string) => boolean {
  return methods ? (method) => methods.includes(method) : (method) => !safeMethods.includes(method)
}

/** The rule for our own routes, which no option changes. */
export const changesSomething = proofRule()

/** RFC 6455 §4.1, and RFC 8441 §4 for HTTP/2: an upgrade may name several protocols, in any case. */
function isHandshake ({ headers }: AnyRequest): boolean {
  return /(^|,)\s*websocket\s*(,|$)/i.test(headers.upgrade ?? '') || headers[':protocol'] === 'websocket'
}

/** What is known of the page that sends a request. */
type Sender = 'trusted' | 'foreign' | 'unnamed' | 'unknown'

/**
 * What the browser says of the sender comes first, since no page can forge it. It sends no `Sec-Fetch-Site` on plain
 * HTTP and in Safari before 16.4, and some proxies strip it:
 *
 * | `Sec-Fetch-Site`                     | `Origin`            | sender  | with the right value | without one |
 * | ------------------------------------ | ------------------- | ------- | -------------------- | ----------- |
 * | same-origin                          | any                 | trusted | passes               | passes      |
 * | any                                  | in `trustedOrigins` | trusted | passes               | passes      |
 * | any, at the handshake of a WebSocket | the app's own       | trusted | passes               | passes      |
 * | same-site, cross-site                | another, or none    | foreign | refused              | refused     |
 * | absent, or any other value           | none                | unnamed | passes               | refused     |
 * | absent, or any other value           | another             | unknown | passes               | refused     |
 *
 * The value is an HMAC of the session (OWASP's signed double submit): no other site can read it, so it is proof by
 * itself, and a cookie that a neighbouring host has planted is worth nothing. A value that is sent has to be right also
 * where none is needed: a wrong one means that the cookies are of another session than the page's, and so may have been
 * planted. Before there is a session there is no value: then an unnamed sender, which is no page of another site,
 * passes, and an unknown one does not.
 *
 * A page cannot put the value into the handshake of a WebSocket, and not all browsers send `Sec-Fetch-Site` there, but
 * each sends `Origin`: so there it may be the app's own, which is that of the host that was asked.
 */
export function createCsrf (
  { cookies: { secure }, csrf: { header, trustedOrigins, methods, formField } }: TransportSettings,
  keys: Buffer[],
  telemetry: Telemetry<object, TransportEvents>
): Csrf {
  /** Requests of unknown senders that had the right value. */
  const proven = new WeakSet<AnyRequest>()
  const wanted = `the header ${header}${formField === undefined ? '' : `, or the field ${formField},`}`

  function valueOf (key: Buffer, sessionId: string, epoch: number): string {
    return createHmac('sha256', key).update(`${sessionId} ${epoch}`).digest('base64url')
  }

  function senderOf (request: AnyRequest): Sender {
    const { origin, 'sec-fetch-site': site } = request.headers
    if (site === 'same-origin' || trustedOrigins.includes(origin!)) return 'trusted'
    if (isHandshake(request) && isOwn(request)) return 'trusted'
    if (site === 'same-site' || site === 'cross-site') return 'foreign'
    return origin === undefined ? 'unnamed' : 'unknown'
  }

  /**
   * True for the app's own origin. A proxy may have ended TLS, so the app cannot tell whether a page was on https. But
   * with `Secure` cookies the browser has used TLS, or trusts the host without it: then a page on plain HTTP, which a
   * stranger on the network may have written, is of another origin.
   */
  function isOwn ({ headers: { origin }, host }: AnyRequest): boolean {
    if (origin === `https://${host}`) return true
    return origin === `http://${host}` && (!secure || loopback.test(origin))
  }

  function failed (request: AnyRequest, reason: string): Error {
    telemetry.publish('csrf-failed', storable(clientOf(request)))
    return new CsrfFailed(reason)
  }

  /** @throws {CsrfFailed} for a page of another origin */
  function knownSender (request: AnyRequest): Exclude<Sender, 'foreign'> {
    const sender = senderOf(request)
    if (sender === 'foreign') {
      throw failed(request, 'The request comes from a page of another origin (Sec-Fetch-Site), ' +
        'which is not in csrf.trustedOrigins')
    }
    return sender
  }

  return {
    valueFor: (sessionId, epoch) => valueOf(keys[0]!, sessionId, epoch),
    isNeededFor: proofRule(methods),
    isHandshake,

    requireProof (request, { sid, ver }) {
      const sender = knownSender(request)
      const sent = request.headers[header] ?? (formField && inBody(request, formField))
      if (sent === undefined) {
        if (sender === 'trusted') return
        if (isHandshake(request)) {
          throw failed(request, 'The handshake of a WebSocket with cookies needs an Origin that is the app\'s own, ' +
            'with the host that was asked, or in csrf.trustedOrigins')
        }
        const why = sender === 'unknown' ? ', as its Origin is not in csrf.trustedOrigins' : ''
        throw failed(request, `A request with cookies needs ${wanted} with the value of csrf_token, ` +
          `which is also in the readable cookie${why}`)
      }
      if (typeof sent !== 'string' || !keys.some((key) => isEqual(sent, valueOf(key, sid, ver)))) {
        const where = `${wanted[0]!.toUpperCase()}${wanted.slice(1)}`
        throw failed(request, `${where} does not hold the csrf_token of this session`)
      }
      if (sender === 'unknown') proven.add(request)
    },

    requireOwnSite (request) {
      if (knownSender(request) !== 'unknown') return
      throw failed(request, 'The Origin of the request is not in csrf.trustedOrigins. ' +
        'The browser sends no Sec-Fetch-Site, as on plain HTTP, in old browsers and behind proxies that strip it: ' +
        'so the app has to name the origin of its own pages there')
    },

    isForeign (request) {
      const sender = senderOf(request)
      return sender === 'foreign' || (sender === 'unknown' && !proven.has(request))
    },
  }
}
