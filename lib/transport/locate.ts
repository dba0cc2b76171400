import { InputInvalid } from '../http/errors.ts'
import { HeaderMalformed, TokenMissing } from './errors.ts'
import type { Cookies } from './cookies.ts'
import type { AnyRequest } from '../http/request.ts'
import { isPlainObject } from '../checks/plain-object.ts'
import type { TokenKind } from '../tokens/keyring.ts'
import type { Location, TransportSettings } from './options.ts'

/** A token as it was sent, not verified yet. */
export interface LocatedToken {
  token: string
  location: Location
  /** The kinds that it may be of: where kinds have names of their own, only the one that the name says. */
  kinds: TokenKind[]
}

export interface Locator {
  /**
   * The token of a request, from the first place that holds one.
   * @throws {TokenMissing} when there is none
   * @throws {HeaderMalformed} when not exactly one token follows the right scheme in the header, or when among the
   * subprotocols there is more than one token, an empty one, or one that comes first
   * @throws {InputInvalid} when what has a token's name in a body or a query is not a string
   */
  locate: (request: AnyRequest, kind: TokenKind | 'any', locations: Location[]) => LocatedToken
}

/** The names of tokens in bodies and queries (RFC 6749 §5.1, RFC 6750 §2.2). */
const fields = { refresh: 'refresh_token', access: 'access_token' } as const

/** Looks for a token of one of these kinds in one place. */
type Look = (request: AnyRequest, kinds: TokenKind[]) => Omit<LocatedToken, 'location'> | undefined

export function createLocator ({ header }: TransportSettings, cookies: Cookies): Locator {
  const places: Record<Location, Look> = {
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
 * Characters that separate values of a header, so that no token holds them. Searched for one by one, since a regular
 * expression takes ten times as long. Other white space is refused later, as part of a token that is not ours.
 */
const separators = [' ', '\t', '\u00A0', ',']

/**
 * RFC 6750 §2.1. The scheme is case-insensitive (RFC 9110 §11.1). A header with another scheme holds no token of ours.
 */
export function tokenIn (value: string | string[] | undefined, scheme: string): string | undefined {
  if (typeof value !== 'string' || value === '') return
  const [first] = /[^\s,]*/.exec(value)!
  if (scheme !== '' && first.toLowerCase() !== scheme.toLowerCase()) return

  // RFC 9110 §11.4: one or more spaces after the scheme, and no tab. Without a scheme there are none.
  let start = scheme.length
  while (start > 0 && value[start] === ' ') start++
  const token = value.slice(start)
  if (token === '' || separators.some((sign) => token.includes(sign)) || (scheme !== '' && start === scheme.length)) {
    throw new HeaderMalformed()
  }
  return token
}

const offered = `${fields.access}.`

/**
 * The entry of `Sec-WebSocket-Protocol` that is a token: a page can fill no other header of a WebSocket's handshake. It
 * must not be the first, which servers send back as the chosen protocol unless they are told to choose another.
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

/** Fields of bodies and queries from before validation, by which a host may strip tokens from them. */
const kept = new WeakMap<AnyRequest, { body: Fields, query: Fields }>()

/** Makes a `preValidation` hook that keeps the fields of a request that guards may look for, and no others. */
export function createKeeper (formField?: string): (request: AnyRequest) => Promise<void> {
  const names = [...Object.values(fields), ...formField === undefined ? [] : [formField]]

  function pick (place: Fields): Fields {
    const sent = names.filter((name) => Object.hasOwn(place, name))
    return Object.fromEntries(sent.map((name) => [name, place[name]]))
  }

  return async function keepFields (request) {
    const body = { ...kept.get(request)?.body, ...pick(asFields(request.body)) }
    kept.set(request, { body, query: pick(asFields(request.query)) })
  }
}

/** The value of a field of the body, as it was sent. */
export function inBody (request: AnyRequest, name: string): unknown {
  const value = own(kept.get(request)?.body ?? asFields(request.body), name)
  return isForm(request) ? unlessEmpty(valueOf(value)) : value
}

function inQuery (request: AnyRequest, name: string): unknown {
  return unlessEmpty(own(kept.get(request)?.query ?? asFields(request.query), name))
}

function own (fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

/** RFC 6749 §3.1: in a query or a form, a parameter without a value counts as not sent. */
function unlessEmpty (value: unknown): unknown {
  return value === '' ? undefined : value
}

function isForm ({ headers }: AnyRequest): boolean {
  return /^(multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(headers['content-type'] ?? '')
}

/**
 * The value of a form's field, which @fastify/multipart attaches to the body as an object (`attachFieldsToBody: true`).
 */
function valueOf (field: unknown): unknown {
  return isPlainObject(field) && field.type === 'field' ? field.value : field
}

function asFields (value: unknown): Fields {
  return value !== null && typeof value === 'object' ? value as Fields : {}
}
