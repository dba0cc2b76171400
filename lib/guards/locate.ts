import type { FastifyRequest } from 'fastify'
import { HeaderMalformed, InputInvalid, TokenMissing } from '../errors.ts'
import type { TokenKind } from '../tokens/keyring.ts'

/** Where a token was found. */
export type TokenLocation = 'header' | 'body'

export interface LocatedToken {
  token: string
  location: TokenLocation
}

type AnyRequest = Pick<FastifyRequest<any, any, any, any, any, any, any>, 'headers' | 'body'>

/**
 * The access token: `Authorization: Bearer`, and nowhere else.
 * @throws {TokenMissing} when there is none, or the header is of another scheme
 * @throws {HeaderMalformed} when the scheme is Bearer and not exactly one token follows
 */
export function locateAccess (request: AnyRequest): LocatedToken {
  return fromHeader(request)
}

/**
 * The refresh token: `refresh_token` of the body, which decides once it is there, else `Authorization: Bearer`.
 * @throws {TokenMissing | HeaderMalformed} as above
 * @throws {InputInvalid} when `refresh_token` is not a string
 */
export function locateRefresh (request: AnyRequest): LocatedToken {
  return fromBody(takenAside.get(request) ?? request.body) ?? fromHeader(request)
}

/** The kinds of token that a place may hold where both are welcome: what is called a refresh token has to be one. */
export function kindsIn (location: TokenLocation): TokenKind[] {
  return location === 'body' ? ['refresh'] : ['refresh', 'access']
}

/** What bodies said before the host's validator had a chance to strip `refresh_token` from them. */
const takenAside = new WeakMap<AnyRequest, object>()

/** A `preValidation` hook that keeps the body's `refresh_token` for `locateRefresh`. */
export async function takeBodyAside (request: AnyRequest): Promise<void> {
  if (namesToken(request.body)) takenAside.set(request, { refresh_token: request.body.refresh_token })
}

function namesToken (body: unknown): body is { refresh_token: unknown } {
  return body !== null && typeof body === 'object' && Object.hasOwn(body, 'refresh_token')
}

function fromBody (body: unknown): LocatedToken | undefined {
  if (!namesToken(body)) return
  if (typeof body.refresh_token !== 'string') throw new InputInvalid('body/refresh_token must be string')
  return { token: body.refresh_token, location: 'body' }
}

/** RFC 6750 §2.1. The scheme is case-insensitive (RFC 9110 §11.1); another scheme is somebody else's business. */
function fromHeader ({ headers }: AnyRequest): LocatedToken {
  const { authorization = '' } = headers
  if (!/^bearer(?![^\s,])/i.test(authorization)) throw new TokenMissing()

  const token = /^\w+ ([^\s,]+)$/.exec(authorization)?.[1]
  if (token === undefined) throw new HeaderMalformed()
  return { token, location: 'header' }
}
