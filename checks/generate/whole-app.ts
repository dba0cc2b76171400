import { generateKeyPairSync } from 'node:crypto'
import Fastify from 'fastify'
import accounts, { type AccountsOptions } from '../../lib/index.ts'
import { google } from '../../lib/providers.ts'
import { routes as switches } from '../../lib/options.ts'

/** `on` is the option that turns it on, and `hide` says that it is no part of an API. */
export interface Route { method: string, url: string, id: string, summary: string, hide: boolean, on: string }

/**
 * What every route needs: keys for others, who may ask about tokens, mail, a grace, events that are kept, and second
 * factors.
 */
const needed: AccountsOptions = {
  db: ':memory:',
  secret: { private: generateKeyPairSync('ed25519').privateKey },
  issuer: 'https://accounts.example.com',
  discovery: true,
  introspection: { clients: [{ id: 'shop', secret: 'x'.repeat(32) }] },
  mail: { links: { login: '/login', register: '/welcome', invite: '/join' } },
  closing: { grace: '30d' },
  events: { store: true },
  admin: { impersonation: true },
  email: { verification: 'first' },
  factors: { remember: '30d' },
  passkeys: { origins: ['https://app.example.com'] },
  keys: true,
  providers: [google({ clientId: 'shop', clientSecret: 'x'.repeat(32) })],
  encryptionKey: 'Zq8vT2kLw9XcR5nYb3HjM7pFs1DgA4uE',
}

const names = Object.keys(switches.properties)

/** The options of an app that has all routes on. */
export const everyRoute: AccountsOptions = {
  ...needed, routes: Object.fromEntries(names.map((name) => [name, true])),
}

/** What an app has with all routes on: these, the calls for code, and what is counted. */
export async function wholeApp (): Promise<{ routes: Route[], services: string[], counters: string[] }> {
  const app = Fastify({ exposeHeadRoutes: false })
  const routes: Route[] = []
  app.addHook('onRoute', ({ method, url, schema }) => {
    const { operationId: id, summary, hide = false } = schema as
      { operationId: string, summary: string, hide?: boolean }
    routes.push({ method: `${method}`, url, id, summary, hide, on: switchOf(url) })
  })
  await app.register(accounts, everyRoute)
  await app.close()

  const absent = names.filter((name) => routes.every(({ on }) => on !== `routes.${name}`))
  if (absent.length > 0) throw new Error(`No route is there for ${absent}: what they need is missing in whole-app.ts`)
  const services = Object.entries(app.accounts).flatMap(([name, service]) => {
    const calls = typeof service === 'object' ? Object.entries(service) : []
    const isGroup = calls.length > 0 && calls.every(([, call]) => typeof call === 'function')
    return isGroup ? calls.map(([call]) => `${name}.${call}`) : [name]
  })
  return { routes, services, counters: Object.keys(app.accounts.counters) }
}

/** What turns those on that have no switch in the option `routes`. */
const unswitched = [
  { on: 'mail.pages', path: '/auth/pages' },
  { on: 'mail', path: '/auth/outbox' },
  { on: 'discovery', path: '/.well-known' },
]

/** Where it is below `/auth`, as its schema says. */
function switchOf (url: string): string {
  const paths = Object.entries(switches.properties).flatMap(([name, { route: { usualPath, also = [] } }]) =>
    [usualPath, ...also].map((path) => ({ on: `routes.${name}`, path: `/auth${path}` })))
  const fitting = [...unswitched, ...paths].filter(({ path }) => url === path || url.startsWith(`${path}/`))
  return fitting.toSorted((one, other) => other.path.length - one.path.length)[0]!.on
}
