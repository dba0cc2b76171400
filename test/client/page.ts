import type { FastifyInstance } from 'fastify'
import { createClient, type ClientOptions, type Store } from '../../lib/client/index.ts'
import { browser } from '../support/browser.ts'

export const baseUrl = 'https://app.example.com/auth'

/** What happens to a request on its way. It sends it on, or does not, and gives the answer, or another one. */
export type Way = (request: Request, send: () => Promise<Response>) => Promise<Response>

/** A store that tabs share. */
export function sharedStore (): Store & { held: () => any } {
  let text: string | null = null
  return { get: () => text, set: (next) => { text = next }, held: () => JSON.parse(text ?? 'null') }
}

/** A browser whose pages talk to an app without a network. `sent` are the requests that went out. */
export function browserOf (app: FastifyInstance) {
  const { ask } = browser(app)
  const sent: Request[] = []

  async function send (request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url)
    const body = await request.text()
    const { answer, take } = await ask(request.method as 'GET', pathname + search, body || undefined, {
      ...Object.fromEntries(request.headers), 'sec-fetch-site': 'same-origin',
    })
    take()
    const { statusCode: status, headers } = answer
    const kept = Object.entries(headers).filter(([name]) => name !== 'set-cookie').map(([name, value]) => [name, `${value}`])
    return new Response(status === 204 ? null : answer.body, { status, headers: kept as [string, string][] })
  }

  /** A page in this browser. */
  function page<Fields = unknown> (options: ClientOptions = {}, way: Way = (_, send) => send()) {
    return createClient<Fields>({
      baseUrl,
      store: 'memory',
      fetch (request) {
        sent.push(request.clone())
        return way(request, () => send(request))
      },
      ...options,
    })
  }

  return { page, sent, count: (path: string) => sent.filter(({ url }) => new URL(url).pathname === path).length }
}
