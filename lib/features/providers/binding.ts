import type { AnyRequest } from '../../http/request.ts'
import { isEqual } from '../../secrets/equal.ts'
import type { Cookies } from '../../transport/cookies.ts'
import { challengeOf } from './client.ts'
import { FlowInvalid } from './errors.ts'
import { flowSeconds, type Flow } from './flow.ts'

/** How a flow belongs to who has begun it, so that nobody is signed in to the account of somebody else (login CSRF). */
export interface Binding {
  /** The cookie that a browser brings along at the end. */
  cookieOf: (flow: Flow) => string
  /** Takes it back. */
  dropped: (flow: Flow) => string
  /** @throws {FlowInvalid} where the browser has not begun this flow */
  requireBrowser: (request: AnyRequest, flow: Flow) => void
  /** @throws {FlowInvalid} where the client has not begun this flow: it has another verifier */
  requireVerifier: (verifier: string, flow: Flow) => void
}

export function createBinding (cookies: Cookies): Binding {
  // Several flows of one browser may be under way, each with a cookie of its own.
  const tagOf = ({ jti }: Flow) => jti.slice(0, 8)

  return {
    cookieOf: (flow) => cookies.keep('flow', flow.jti, flowSeconds, tagOf(flow)),
    dropped: (flow) => cookies.drop('flow', tagOf(flow)),

    requireBrowser (request, flow) {
      const shown = cookies.read(request, 'flow', tagOf(flow))
      if (shown === undefined || !isEqual(shown, flow.jti)) throw new FlowInvalid()
    },

    requireVerifier (verifier, { challenge = '' }) {
      if (!isEqual(challengeOf(verifier), challenge)) throw new FlowInvalid()
    },
  }
}
