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
  const cut = (text: string | undefined, length: number) => text?.slice(0, length).replaceAll(/\p{C}/gu, '') ?? null
  return { ip: cut(ip, 64), userAgent: cut(userAgent, 512) }
}
