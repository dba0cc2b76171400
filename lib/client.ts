import type { AnyRequest } from './options.ts'

/** Where a request comes from. */
export interface Client {
  /** The address that Fastify trusts, never a header's word for it. None on a Unix socket. */
  ip?: string | undefined
  userAgent?: string | undefined
}

export function clientOf ({ ip, headers }: Pick<AnyRequest, 'headers'> & { ip?: string }): Client {
  return { ip, userAgent: headers['user-agent'] }
}

/** As every database keeps it: both are as long and as odd as a client likes. */
export function storable ({ ip, userAgent }: Client) {
  return { ip: ip?.slice(0, 64) ?? null, userAgent: userAgent?.slice(0, 512).replaceAll(/\p{C}/gu, '') ?? null }
}
