import { createHmac } from 'node:crypto'
import { clientOf, storable } from '../client.ts'
import { isEqual } from '../equal.ts'
import { CsrfFailed } from '../errors.ts'
import type { AnyRequest } from '../options.ts'
import type { Settings } from '../settings.ts'
import type { Telemetry } from '../telemetry.ts'
import type { SharedClaims } from '../tokens/claims.ts'
import { bodyOf } from './locate.ts'

/** Keeps other sites from using the cookies that a browser sends along by itself. */
export interface Csrf {
  /** The value that a client of this session sends back in a header, which no other site can read. */
  valueFor: (sessionId: string, ver: number) => string
  /** True for methods that need a proof. */
  isNeededFor: (method: string) => boolean
  /**
   * For a request that came in by a cookie and changes something.
   * @throws {CsrfFailed} saying what was missing, and how to send it
   */
  requireProof: (request: AnyRequest, claims: Pick<SharedClaims, 'sid' | 'ver'>) => void
  /**
   * For a request that is about to get cookies without having shown any: it is JSON, which a form cannot send, and must
   * not come from a page of another origin.
   * @throws {CsrfFailed}
   */
  requireOwnSite: (request: AnyRequest) => void
  /** True when the browser says that a page of another origin sends the request. */
  isForeign: (request: AnyRequest) => boolean
}

/**
 * What the browser says of the sender decides, since no page can forge it: `Sec-Fetch-Site` first, `Origin` where that
 * is absent. Where neither is there, the value has to be: an HMAC of the session (OWASP's signed double submit), so that
 * a cookie which a neighbouring host has planted is worth nothing. A value that is sent has to be right in any case: else
 * the page means another session than the cookies, which somebody may have planted.
 */
export function createCsrf ({ csrf: { header, trustedOrigins, methods, formField } }: Settings, keys: Buffer[], telemetry: Telemetry): Csrf {
  const wanted = `the header ${header}${formField === undefined ? '' : `, or the field ${formField},`}`

  function valueOf (key: Buffer, sessionId: string, ver: number): string {
    return createHmac('sha256', key).update(`${sessionId} ${ver}`).digest('base64url')
  }

  /** True when the browser vouches for the sender, false when it says nothing, and else why not. */
  function judge ({ headers }: AnyRequest): boolean | string {
    const { origin, 'sec-fetch-site': site } = headers
    if (site === 'same-origin' || trustedOrigins.includes(origin!)) return true
    if (site === 'cross-site' || site === 'same-site') {
      return 'The request comes from a page of another origin (Sec-Fetch-Site), which is not in csrf.trustedOrigins'
    }
    return origin === undefined ? false : 'The Origin of the request is not in csrf.trustedOrigins'
  }

  function failed (request: AnyRequest, reason: string): Error {
    telemetry.publish('csrf-failed', storable(clientOf(request)))
    return new CsrfFailed(reason)
  }

  function isVouchedFor (request: AnyRequest): boolean {
    const verdict = judge(request)
    if (typeof verdict === 'string') throw failed(request, verdict)
    return verdict
  }

  return {
    valueFor: (sessionId, ver) => valueOf(keys[0]!, sessionId, ver),
    isNeededFor: (method) => methods.includes(method),

    requireProof (request, { sid, ver }) {
      const isVouched = isVouchedFor(request)
      const sent = request.headers[header] ?? (formField && bodyOf(request)[formField])
      if (sent === undefined && isVouched) return
      if (sent === undefined) throw failed(request, `A request with cookies needs ${wanted} with the value of csrf_token, which is also in the readable cookie`)
      if (typeof sent !== 'string' || !keys.some((key) => isEqual(sent, valueOf(key, sid, ver)))) {
        throw failed(request, `${wanted[0]!.toUpperCase()}${wanted.slice(1)} does not hold the csrf_token of this session`)
      }
    },

    requireOwnSite (request) {
      isVouchedFor(request)
    },

    isForeign: (request) => typeof judge(request) === 'string',
  }
}
