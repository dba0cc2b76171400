import type { FastifyReply, FastifyRequest } from 'fastify'

/** A request of any app. */
export type AnyRequest = FastifyRequest<any, any, any, any, any, any, any>

/** A reply of any app. */
export type AnyReply = FastifyReply<any, any, any, any, any, any, any>

/** Where a request came from. The request itself would bring its password along. */
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
}

export function sourceOf ({ id, ip, headers }: AnyRequest): RequestSource {
  return { requestId: id, ip, userAgent: headers['user-agent'] }
}

export function clientOf ({ ip, headers }: Pick<AnyRequest, 'headers'> & { ip?: string }): Client {
  return { ip, userAgent: headers['user-agent'] }
}

/** A client as every database can keep it: what it sends may have any length, and control characters. */
export function storable ({ ip, userAgent }: Client) {
  const cut = (text: string | undefined, length: number) => text?.slice(0, length).replaceAll(/\p{C}/gu, '') ?? null
  return { ip: cut(ip, 64), userAgent: cut(userAgent, 512) }
}
