import { InputInvalid } from '../http/errors.ts'
import { HeaderMalformed, TokenMissing } from './errors.ts'
import type { Cookies } from './cookies.ts'
import type { AnyRequest } from '../http/request.ts'
import { isPlainObject } from '../checks/plain-object.ts'
import type { TokenKind } from '../tokens/keyring.ts'
import type { Location, TransportSettings } from './options.ts'

export interface LocatedToken {
  token: string
  location: Location
  /** What it may be: under a name of its own, only what the name says. */
  kinds: TokenKind[]
}

export interface Locator {
  /**
   * The token of a request: the first place that holds one decides, and only "nothing here" moves on to the next.
   * @throws {TokenMissing} when there is none
   * @throws {HeaderMalformed} when the header has the right scheme and not exactly one token follows, or the offer of
   * subprotocols has a token first, no token after its name, or more than one
   * @throws {InputInvalid} when what has a token's name in a body or a query is not a string
   */
  locate: (request: AnyRequest, kind: TokenKind | 'any', locations: Location[]) => LocatedToken
}

/** The names of the two kinds where tokens go by name (RFC 6749 §5.1, RFC 6750 §2.2); where both will do, in this order. */
const fields = { refresh: 'refresh_token', access: 'access_token' } as const

export function createLocator ({ header }: TransportSettings, cookies: Cookies): Locator {
  const places: Record<Location, (request: AnyRequest, kinds: TokenKind[]) => Omit<LocatedToken, 'location'> | undefined> = {
    header ({ headers }, kinds) {
      const token = tokenIn(headers[header.name], header.scheme)
      return token === undefined ? undefined : { token, kinds }
    },
    cookie (request, kinds) {
      return firstOf(kinds, (kind) => cookies.read(request, kind))
    },
    body (request, kinds) {
      return firstOf(kinds, (kind) => textOf(inBody(request, fields[kind]), `body/${fields[kind]}`))
    },
    query (request, kinds) {
      return firstOf(kinds, (kind) => textOf(inQuery(request, fields[kind]), `querystring/${fields[kind]}`))
    },
    protocol ({ headers }, kinds) {
      const token = kinds.includes('access') ? tokenAmong(headers['sec-websocket-protocol']) : undefined
      return token === undefined ? undefined : { token, kinds: ['access'] }
    },
  }

  return {
    locate (request, kind, locations) {
      const kinds = kind === 'any' ? ['refresh', 'access'] satisfies TokenKind[] : [kind]
      for (const location of locations) {
        const found = places[location](request, kinds)
        if (found) return { ...found, location }
      }
      throw new TokenMissing()
    },
  }
}

function firstOf (kinds: TokenKind[], read: (kind: TokenKind) => string | undefined) {
  for (const kind of kinds) {
    const token = read(kind)
    if (token !== undefined) return { token, kinds: [kind] }
  }
}

/**
 * What no token holds: the white space that a server lets into a header, and what stands between two values. Asked one by
 * one, since a regular expression takes ten times as long; other white space makes no token of ours either.
 */
const breaks = [' ', '\t', '\u00A0', ',']

/** RFC 6750 §2.1. The scheme is case-insensitive (RFC 9110 §11.1); another scheme is somebody else's business. */
function tokenIn (value: string | string[] | undefined, scheme: string): string | undefined {
  if (typeof value !== 'string' || value === '') return
  const [first] = /[^\s,]*/.exec(value)!
  if (scheme !== '' && first.toLowerCase() !== scheme.toLowerCase()) return

  // RFC 9110 §11.4: one or more spaces, and no tab. Where there is no scheme there are none.
  let start = scheme.length
  while (start > 0 && value[start] === ' ') start++
  const token = value.slice(start)
  if (token === '' || breaks.some((sign) => token.includes(sign)) || (scheme !== '' && start === scheme.length)) throw new HeaderMalformed()
  return token
}

const offered = `${fields.access}.`

/**
 * The entry of `Sec-WebSocket-Protocol` that is a token: the one header that a page can fill before a WebSocket opens. Not
 * the first one, which servers send back unless they are told to choose, so that it is a protocol's name.
 */
function tokenAmong (value: string | undefined): string | undefined {
  const protocols = (value ?? '').split(',').map((protocol) => protocol.trim())
  const [found, ...more] = protocols.filter((protocol) => protocol.startsWith(offered))
  if (found === undefined) return
  const token = found.slice(offered.length)
  if (more.length > 0 || found === protocols[0] || token === '') throw new HeaderMalformed()
  return token
}

function textOf (value: unknown, label: string): string | undefined {
  if (value !== undefined && typeof value !== 'string') throw new InputInvalid(`${label} must be string`)
  return value
}

type Fields = Record<string, unknown>

/** What bodies and queries said before the host's validator had a chance to strip a token from them. */
const kept = new WeakMap<AnyRequest, { body: Fields, query: Fields }>()

/** Makes a `preValidation` hook that keeps the fields of a request that guards may look for, and no others. */
export function createKeeper (formField?: string): (request: AnyRequest) => Promise<void> {
  const names = [...Object.values(fields), ...formField === undefined ? [] : [formField]]
  const pick = (place: Fields) => Object.fromEntries(names.filter((name) => Object.hasOwn(place, name)).map((name) => [name, place[name]]))

  return async function keepFields (request) {
    kept.set(request, { body: { ...kept.get(request)?.body, ...pick(asFields(request.body)) }, query: pick(asFields(request.query)) })
  }
}

/** What was sent in the body under a name. */
export function inBody (request: AnyRequest, name: string): unknown {
  const value = own(kept.get(request)?.body ?? asFields(request.body), name)
  return isForm(request) ? filledIn(valueOf(value)) : value
}

function inQuery (request: AnyRequest, name: string): unknown {
  return filledIn(own(kept.get(request)?.query ?? asFields(request.query), name))
}

function own (fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

/** RFC 6749 §3.1: in a query or a form, a parameter without a value was not sent. */
function filledIn (value: unknown): unknown {
  return value === '' ? undefined : value
}

function isForm ({ headers }: AnyRequest): boolean {
  return /^(multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(headers['content-type'] ?? '')
}

/** A field of a form, as @fastify/multipart attaches it to the body: with `attachFieldsToBody: true` as an object. */
function valueOf (field: unknown): unknown {
  return isPlainObject(field) && field.type === 'field' ? field.value : field
}

function asFields (value: unknown): Fields {
  return value !== null && typeof value === 'object' ? value as Fields : {}
}
