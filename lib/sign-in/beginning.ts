import { clientOf, type AnyRequest } from '../http/request.ts'
import type { Beginning, SessionTransport } from '../sessions/births.ts'
import type { OwnData, SessionData } from '../sessions/data.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Tokens } from '../tokens/tokens.ts'
import type { Transport } from '../transport/options.ts'
import type { TokenTransport } from '../transport/transport.ts'
import type { PublicFields } from '../users/public-user.ts'
import type { Granting } from './grant.ts'
import type { SignInSettings } from './options.ts'

/** What a client may wish of its session. */
export interface Wish {
  /** How its tokens travel. Default in cookies where the app has nothing else, or else in bodies. */
  transport?: Transport
  /** Whether cookies outlive the browser window. */
  remember?: boolean
}

/** How a session begins that a request asks for. */
export interface Beginnings {
  /**
   * Where and how a session of this request begins.
   * @throws {CsrfFailed} where its tokens would go into cookies, and the request is not known to come from the own site
   */
  beginningOf: (request: AnyRequest, wish: Wish) => Beginning
  /**
   * What the host gives to a session of this user that is to begin: `given` stands in for the hook's data. Asked before
   * anything is written: it may fail.
   * @throws {InputInvalid | Unavailable}
   */
  givenByHost: (
    user: PublicFields, request?: AnyRequest, given?: SessionData | null
  ) => Promise<{ data: SessionData | null, claims: object }>
  /**
   * Ends the session whose cookies were shown by a request that has begun another one in cookies (ASVS 5 7.2.4): the
   * browser has no other way back to it. It may be another user's, so it ends by itself, once the new one is stored.
   */
  endReplaced: (request: AnyRequest, transport: SessionTransport) => Promise<void>
}

interface BeginningParts {
  tokens: Tokens
  sessions: Sessions
  transport: TokenTransport
  ownData: OwnData
  claimsOf: Granting['claimsOf']
}

export function createBeginnings (
  { tokens, sessions, transport: { cookies, csrf }, ownData, claimsOf }: BeginningParts, settings: SignInSettings
): Beginnings {
  const usual = settings.transport === 'cookie' ? 'cookie' : 'body'

  return {
    beginningOf (request, { transport = usual, remember = settings.cookies.persistent }) {
      if (transport === 'cookie') {
        csrf.requireOwnSite(request)
        cookies.warnOfLoss(request)
      }
      return { ...clientOf(request), transport: transportOf(transport, remember) }
    },

    async givenByHost (user, request, given) {
      const data = given === undefined ? await ownData.forNew(user, request) : given
      return { data, claims: await claimsOf({ user, data }, request) }
    },

    async endReplaced (request, transport) {
      if (transport === 'body') return
      for (const kind of ['refresh', 'access'] as const) {
        const shown = cookies.read(request, kind)
        if (shown === undefined) continue
        const token = unlessRefused(() => tokens.verifyEvenExpired(shown, [kind]))
        if (token) return sessions.replace(token, clientOf(request))
      }
    },
  }
}

export function transportOf (transport: Transport, persistent: boolean): SessionTransport {
  if (transport === 'body') return 'body'
  return persistent ? 'cookie' : 'session-cookie'
}

/** Nothing for a token that is none of ours: all that its check throws is a refusal. */
function unlessRefused<Token> (verify: () => Token): Token | undefined {
  try {
    return verify()
  } catch {}
}
