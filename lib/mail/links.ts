import type { FastifyInstance } from 'fastify'
import type { PageName } from './kinds.ts'
import type { MailSettings } from './options.ts'

/** Makes links. They begin as the settings say, and with nothing that a request has said. */
export type MakeLink = (page: PageName, token: string) => string

/** `path` is that of our routes: without a path of its own a link leads to a page of ours. */
export function createLinks (
  { server }: Pick<FastifyInstance, 'server'>, path: string, { links }: MailSettings
): MakeLink {
  const { base, style } = links
  const separator = style === 'query' ? '?token=' : '#'

  return (page, token) => {
    const place = links[page] ?? `${path}/pages/${page}`
    return `${(base ?? thisMachine(server)).replace(/\/$/, '')}${place}${separator}${token}`
  }
}

/** In development: where the server of this process listens. */
export function thisMachine (server: Pick<FastifyInstance['server'], 'address'>): string {
  const address = server.address()
  return typeof address === 'object' && address ? `http://localhost:${address.port}` : 'http://localhost'
}
