import { isIPv4, isIPv6 } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** A request of any app. */
export type AnyRequest = FastifyRequest<any, any, any, any, any, any, any>

/** A reply of any app. */
export type AnyReply = FastifyReply<any, any, any, any, any, any, any>

/** Where a request came from, without its body, which may contain a password. */
export interface RequestSource {
  /** Fastify's id of the request, as in its log. */
  requestId: string
  /** None on a Unix socket. */
  ip: string | undefined
  userAgent: string | undefined
}

/** The client of a session, as far as its requests tell. */
export interface Client {
  /** The address that Fastify trusts, never a header's word for it. None on a Unix socket. */
  ip?: string | undefined
  userAgent?: string | undefined
  /** The languages that its user reads (`Accept-Language`), for mails. */
  languages?: string | undefined
  /** Fastify's id of the request, as in its log. */
  requestId?: string | undefined
  /** Whom a guard has let in, of which accounts: in a borrowed session the admin. */
  actor?: { id: string, instance: string } | undefined
}

/** What is read of a request, to know where it came from and by whom. */
interface ClientRequest extends Pick<AnyRequest, 'headers'> {
  ip?: string
  id?: string
  /** As guards leave it. Null before one has run. */
  auth?: { instance: string, claims: { sub: string }, actor?: string | undefined } | null
}

export function sourceOf ({ id, ip, headers }: AnyRequest): RequestSource {
  return { requestId: id, ip, userAgent: headers['user-agent'] }
}

export function clientOf ({ ip, headers, id, auth }: ClientRequest): Client {
  return {
    ip,
    userAgent: headers['user-agent'],
    languages: headers['accept-language'],
    requestId: id,
    ...auth && { actor: { id: auth.actor ?? auth.claims.sub, instance: auth.instance } },
  }
}

/** A client as every database can keep it: what it sends may have any length, and control characters. */
export function storable ({ ip, userAgent }: Client) {
  return { ip: storableText(ip, 64), userAgent: storableText(userAgent, 512) }
}

/** As much of a text as fits, without control characters: as every database can keep it. */
export function storableText (text: string | undefined, length: number): string | null {
  return text?.slice(0, length).replaceAll(/\p{C}/gu, '') ?? null
}

/**
 * The networks that an address belongs to, however it is spelled, the narrowest first. An IPv4 address is one of its
 * own. An IPv6 customer has a /64, a /56 or a /48 to choose addresses from, and nobody can see which: all three count.
 * What is no address, as on a Unix socket, is one network.
 */
export function networksOf (ip?: string | null): [narrowest: string, ...wider: string[]] {
  // Without the port, which some proxies add, and without the zone, which names an interface of this machine.
  const address = (ip ?? '').replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1').replace(/%.*$/, '')
  if (isIPv4(address)) return [address]
  if (!isIPv6(address)) return ['none']

  const groups = groupsOf(address)
  const embedded = embeddedIn(groups)
  return embedded ? [embedded] : [prefixOf(groups, 64), prefixOf(groups, 56), prefixOf(groups, 48)]
}

/** The widest network of an address: as much as one customer may have. */
export function widestNetworkOf (ip?: string | null): string {
  return networksOf(ip).at(-1)!
}

/**
 * The prefixes before the IPv4 address of a client that speaks IPv4: of a dual-stack socket's mapped addresses
 * (RFC 4291 §2.5.5.2), of a stateless translator's (RFC 6145), and the well-known one of NAT64 (RFC 6052 §2.1).
 */
const embeddings = new Set(['0:0:0:0:0:ffff', '0:0:0:0:ffff:0', '64:ff9b:0:0:0:0'])

/** The IPv4 address in an IPv6 one. */
function embeddedIn (groups: number[]): string | undefined {
  if (!embeddings.has(textOf(groups.slice(0, 6)))) return
  return groups.slice(6).flatMap((group) => [group >> 8, group & 0xff]).join('.')
}

/** The first 48, 56 or 64 bits. */
function prefixOf (groups: number[], bits: 48 | 56 | 64): string {
  const [a, b, c, d] = groups as [number, number, number, number]
  return `${textOf([a, b, c, { 48: 0, 56: d & 0xff00, 64: d }[bits]])}::/${bits}`
}

function textOf (groups: number[]): string {
  return groups.map((group) => group.toString(16)).join(':')
}

/** The eight groups of an IPv6 address, whose many spellings the URL parser reduces to one. */
function groupsOf (address: string): number[] {
  const [left, right = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::') as [string, string?]
  const [before, after] = [left, right].map((half) => half.split(':').filter(Boolean)) as [string[], string[]]
  const zeros = Array<string>(8 - before.length - after.length).fill('0')
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16))
}

/**
 * A signal that is aborted when the client disconnects before its answer. Fastify's `request.signal` is no help: it has
 * been there since 5.8 alone, and is aborted as soon as a body is read.
 */
export function disconnectSignal ({ raw }: AnyReply): AbortSignal {
  const leaving = new AbortController()
  const leave = () => {
    if (!raw.writableEnded) leaving.abort(Object.assign(new Error('The client has gone'), { statusCode: 499 }))
  }
  if (raw.destroyed) leave()
  else raw.on('close', leave)
  return leaving.signal
}
