import { isDate } from 'node:util/types'
import { transportOf } from '../../sign-in/sign-in.ts'
import { deliver, type CookieResponse, type TokenResponse } from '../../sign-in/grant.ts'
import { setCookies } from '../../transport/keep.ts'
import type { ApiKeys } from '../api-keys/open.ts'
import type { Spine } from '../spine.ts'
import { OptionsInvalid } from '../../http/errors.ts'
import { IssuingOff } from '../../tokens/errors.ts'
import type { RequestAuth } from '../../guards/request-auth.ts'
import { clientOf, type AnyReply, type AnyRequest, type Client } from '../../http/request.ts'
import { knownOptions } from '../../http/service-options.ts'
import type { SessionData } from '../../sessions/data.ts'
import type { TokenClaims } from '../../tokens/claims.ts'
import { canSign } from '../../tokens/key.ts'
import { levels, type Level } from '../../tokens/levels.ts'
import type { TokenKind } from '../../tokens/keyring.ts'
import type { DecodedToken } from '../../tokens/tokens.ts'
import type { Transport } from '../../transport/options.ts'
import type { AccountsUser } from '../../users/public-user.ts'

/** Options of `issueTokens`, which starts a session without a password. */
export interface IssueOptions {
  /** The request, which is passed to `claims`, and supplies the address and user agent of the session. */
  request?: AnyRequest
  /** The reply on which cookies are set, if tokens are sent in cookies. */
  reply?: AnyReply
  /** Default `'cookie'` with a reply where the `transport` of the app is not `'body'`, else `'body'`. */
  transport?: Transport
  /** When the user authenticated, for guards that require freshness. Default 1970, which is never fresh. */
  authTime?: Date | null
  /** The data of the session (`sessions.data`). Default the result of `hooks.onSession`; null for none. */
  data?: SessionData | null
  /**
   * The level that your own code has proved (`'aal1'`, `'aal2'`, `'phr'`). With it no second factor is required.
   * Default one factor. Needs the option `factors` or `passkeys`.
   */
  acr?: Level
  /**
   * The methods of authentication (RFC 8176) for the claim `amr`: at most 8, of at most 16 characters. Default none.
   */
  amr?: string[]
}

/** The result of `verify`. */
export type VerifiedBearer = Pick<RequestAuth, 'claims' | 'header' | 'sessionId'> & {
  kind: TokenKind
  user: AccountsUser
}

/** Tokens, for code that is not a route. */
export interface TokenServices {
  /**
   * Starts a session of a user without a password: after a login by other means, or in tests.
   * @throws {NotFound} if the user does not exist or is disabled
   * @throws {FactorRequired | FactorEnrolmentRequired} with a ticket, if the user has or needs a second factor, and
   * `acr` is not given
   * @throws {IssuingOff} if the app has public keys only
   * @throws {OptionsInvalid} for unknown options
   * @throws {InputInvalid} if the data does not match the schema
   */
  issueTokens: {
    (user: string | { id: string }, options?: IssueOptions & { reply?: never }): Promise<TokenResponse>
    (user: string | { id: string }, options: IssueOptions): Promise<TokenResponse | CookieResponse>
  }
  /**
   * Checks a token as a guard does, including its session.
   * @throws the errors of a guard
   * @throws {OptionsInvalid} for unknown options
   */
  verify: (token: string, options?: { type?: TokenKind | 'any', request?: AnyRequest }) => Promise<VerifiedBearer>
  /**
   * Reads a token without checking anything: never let anybody in because of it.
   * @throws {TokenInvalid} if it is not a token
   */
  decode: (token: string) => DecodedToken
  /**
   * Revokes an access token alone, or with a refresh token its whole session (RFC 7009 §2.1).
   * @throws {TokenInvalid | TokenExpired} for an invalid token
   * @throws {OptionsInvalid} for any options: there are none
   */
  revoke: (token: string) => Promise<void>
  /** Clears the cookies with tokens. The session continues: see `revoke`. */
  clearCookies: (reply: AnyReply) => void
}

/** Ends what a token stands for, as `TokenServices.revoke` does, for whoever asks for it. */
export type RevokeToken = (token: string, client?: Client) => Promise<void>

export function createRevokeToken ({ tokens, sessions }: Spine, apiKeys: ApiKeys | undefined): RevokeToken {
  return async (text, client) => {
    if (apiKeys?.isMeant(text)) return apiKeys.revokeText(text, client)
    const token = tokens.verifyEvenExpired(text, ['access', 'refresh'])
    await (token.kind === 'access'
      ? sessions.endings.revokeToken(token.claims, client)
      : sessions.logout(token, client))
  }
}

export function createTokenServices (spine: Spine, revokeToken: RevokeToken): TokenServices {
  const { guards: { admission }, ownData, settings, signIn, tokens, transport: { cookies }, users: { lookUp } } = spine

  return {
    async issueTokens (user: string | { id: string }, options: IssueOptions = {}) {
      const {
        request, reply, authTime, data: given, acr, amr, transport = usualTransport(settings, reply)
      } = knownOptions('issueTokens', ['request', 'reply', 'transport', 'authTime', 'data', 'acr', 'amr'], options)
      if (!canSign(settings.keys)) throw new IssuingOff()
      if (!['body', 'cookie'].includes(transport)) {
        throw new OptionsInvalid("issueTokens() needs 'body' or 'cookie' as transport")
      }
      if (transport === 'cookie' && (!reply || settings.transport === 'body')) {
        throw new OptionsInvalid(
          "issueTokens() with the transport 'cookie' needs a reply, and an app whose transport is not 'body'")
      }

      const since = authTime ?? new Date(0)
      if (!isDate(since) || !(since.getTime() <= Date.now())) {
        throw new OptionsInvalid('issueTokens() needs an authTime that is a Date, and past')
      }
      if (given !== undefined && !ownData.isOn) {
        throw new OptionsInvalid('issueTokens() needs the option sessions.data for data')
      }

      requireLevel(acr, amr, settings)

      const checked = given === undefined ? given : ownData.read(given)
      const found = await lookUp.enabled(typeof user === 'string' ? user : user.id)
      const { data, claims } = await signIn.givenByHost(found, request, checked)
      const beginning = {
        ...(request && clientOf(request)),
        authTime: since,
        data,
        ...acr && { acr },
        ...amr && { amr },
        ...request && { request },
        transport: transportOf(transport, settings.cookies.persistent),
      }
      const granted = await signIn.signIn(found, beginning, (session) => signIn.grant(session, claims))
      if (request) await signIn.endReplaced(request, beginning.transport)
      return deliver(reply, granted) as TokenResponse
    },

    async verify (text, options = {}) {
      const { type = 'access', request } = knownOptions('verify', ['type', 'request'], options)
      if (!['access', 'refresh', 'any'].includes(type)) {
        throw new OptionsInvalid("verify() needs 'access', 'refresh' or 'any' as type")
      }
      const token = tokens.verify(text, type === 'any' ? ['access', 'refresh'] : [type])
      const { user } = await admission.admit(token, 'strict', request)
      const { kind, claims, header } = token
      return { kind, claims: claims as TokenClaims, header, sessionId: claims.sid, user }
    },

    decode: tokens.decode,

    async revoke (text: string, options: object = {}) {
      knownOptions('revoke', [], options)
      await revokeToken(text)
    },

    clearCookies (reply) {
      setCookies(reply, cookies.clear())
    },
  }
}

/** What a token can say of how it was proved who has it. */
function requireLevel (acr: unknown, amr: unknown, { hasLevels }: Spine['settings']): void {
  if (acr === undefined && amr === undefined) return
  if (!hasLevels) throw new OptionsInvalid('issueTokens() needs the option factors or passkeys for acr and amr')
  if (acr !== undefined && !levels.includes(acr as Level)) {
    throw new OptionsInvalid(`issueTokens() needs ${levels.join(', ')} as acr`)
  }
  const isList = Array.isArray(amr) && amr.length <= 8 &&
    amr.every((method) => typeof method === 'string' && /^[\w.-]{1,16}$/.test(method))
  if (amr !== undefined && !isList) throw new OptionsInvalid('issueTokens() needs up to 8 short words as amr')
}

function usualTransport ({ transport }: Spine['settings'], reply: AnyReply | undefined): Transport {
  return reply && transport !== 'body' ? 'cookie' : 'body'
}
