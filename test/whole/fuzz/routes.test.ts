// With more rounds in trials.
import { generateKeyPairSync } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import formats from 'ajv-formats'
import type { InjectOptions, LightMyRequestResponse, RouteOptions } from 'fastify'
import fc from 'fast-check'
import t from 'tap'
import accounts, { type TokenResponse } from '../../../lib/index.ts'
import { cheap, emptyDatabase, password, secret } from '../../support/build.ts'
import { rounds } from '../../support/rounds.ts'
import { hostile, nearlyValid, texts, valid, type Schema } from './values.ts'
import { Fastify } from '../../support/fastify.ts'

/** So many requests to each route. */
const numRuns = rounds(60, 3000)

const shop = { id: 'shop', secret: 'the secret of a client that asks' }
const { privateKey } = generateKeyPairSync('ed25519')

interface Route {
  method: string
  url: string
  schema: { body?: Schema, params?: Schema, querystring?: Schema, response: Record<string, Schema> }
}

/** An app with all of our routes, and the routes with their schemas. */
const routes: Route[] = []
const app = Fastify({ logger: { level: 'silent' } })
t.teardown(() => app.close())
app.addHook('onRoute', ({ method, url, schema }: RouteOptions) => {
  if (url.startsWith('/auth') && method !== 'HEAD') { routes.push({ method: method as string, url, schema: schema as Route['schema'] }) }
})
await app.register(accounts, {
  db: await emptyDatabase(t),
  secret: [secret, { private: privateKey }],
  transport: 'both',
  password: cheap,
  throttle: false,
  routes: { users: true, revoke: true },
  introspection: { clients: [shop] },
  user: {
    fields: {
      displayName: Type.Optional(Type.String({ maxLength: 40 })),
      settings: Type.Optional(
        Type.Object({
          theme: Type.Union([Type.Literal('light'), Type.Literal('dark')]),
          sizes: Type.Array(Type.Integer(), { maxItems: 3 }),
        })
      ),
      anything: Type.Optional(Type.Any()),
      plan: Type.Optional(Type.String({ readOnly: true })),
    },
  },
})
await app.ready()
await app.accounts.users.create({ username: 'ada', password })

const ajv = formats.default(new Ajv({ strict: false, validateSchema: false }))
const checks = new Map(
  routes.map((route) => [
    route,
    Object.fromEntries(Object.entries(route.schema.response).map(([status, schema]) => [status, ajv.compile(schema)])),
  ])
)

let people = 0
/** Somebody who is signed in, and an admin, so that no route is closed to them. */
async function newcomer () {
  const { id } = await app.accounts.users.create({ username: `user-${++people}`, roles: ['admin'] })
  return { ...await app.accounts.issueTokens(id, { authTime: new Date() }), id }
}
type Newcomer = TokenResponse & { id: string }

const cookieOf = ({ access_token: access, refresh_token: refresh }: Newcomer) =>
  `__Host-access=${access}; __Secure-refresh=${refresh}`
const ownSite = { 'sec-fetch-site': 'same-origin' }

/** How a request says who it is, right or wrong. */
const credentials: fc.Arbitrary<(who: Newcomer) => Record<string, string>> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(({ access_token: token }: Newcomer) => ({ authorization: `Bearer ${token}` })) },
  { weight: 2, arbitrary: fc.constant(({ refresh_token: token }: Newcomer) => ({ authorization: `Bearer ${token}` })) },
  { weight: 2, arbitrary: fc.constant((who: Newcomer) => ({ ...ownSite, cookie: cookieOf(who) })) },
  fc.constant((who: Newcomer) => ({ cookie: cookieOf(who), 'sec-fetch-site': 'cross-site' })),
  fc.constant(() => ({})),
  fc.constant(() => ({ authorization: `Basic ${Buffer.from(`${shop.id}:${shop.secret}`).toString('base64')}` })),
  texts.map((text) => () => ({ authorization: header(text) })),
  texts.map((text) => () => ({ authorization: `Bearer ${header(text)}` })),
  texts.map((text) => () => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })),
  fc
    .tuple(texts, texts)
    .map(([name, value]) => () => ({
      ...ownSite,
      cookie: header(`${name}=${value}; __Host-access=${value}; __Secure-refresh=${value}`),
    })),
  fc
    .tuple(fc.nat(2), texts)
    .map(([part, text]) => ({ access_token: token }: Newcomer) => ({
      authorization: `Bearer ${token.split('.').with(part, Buffer.from(text).toString('base64url')).join('.')}`,
    }))
)

/** What a header can hold: other texts never reach a server. */
function header (text: string): string {
  return text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '').slice(0, 8000)
}

const contentTypes = fc.oneof(
  { weight: 12, arbitrary: fc.constant('application/json') },
  fc.constantFrom(
    'application/x-www-form-urlencoded',
    'text/plain',
    'application/json; charset=utf-8',
    'application/jsonx',
    'multipart/form-data; boundary=x',
    ''
  )
)

/** A body as JSON, and now and then as what is none. */
function bodies (schema: Schema | undefined): fc.Arbitrary<string | undefined> {
  if (!schema) return fc.constantFrom(undefined, undefined, '{}', '')
  const json = (value: unknown) => JSON.stringify(value)
  return fc.oneof(
    { weight: 5, arbitrary: valid(schema).map(json) },
    { weight: 5, arbitrary: nearlyValid(schema).map(json) },
    { weight: 2, arbitrary: hostile.map(json) },
    texts,
    fc.tuple(valid(schema).map(json), fc.nat(200)).map(([text, at]) => text.slice(0, at)),
    fc.constant('{"__proto__":{"admin":true}}')
  )
}

/** Values for the places of a path and a query: somebody's id, or anything. */
function texted (schema: Schema | undefined, own: (who: Newcomer) => string) {
  const names = Object.keys(schema?.properties ?? {})
  return fc.array(
    fc.oneof(
      fc.constant(own),
      texts.map((text) => () => text)
    ),
    { minLength: names.length, maxLength: names.length }
  )
}

for (const route of routes) {
  t.test(`whatever is sent to ${route.method} ${route.url}, the answer is one that it declares`, async (t) => {
    const { method, url, schema } = route
    const seen = new Map<number, number>()
    const requests = fc.record({
      as: credentials,
      body: bodies(schema.body),
      type: contentTypes,
      places: texted(schema.params, ({ id }) => id),
      query: texted(schema.querystring, ({ id }) => id),
      asIs: fc.boolean(),
    })

    await fc.assert(fc.asyncProperty(requests, async ({ as, body, type, places, query, asIs }) => {
      const who = await newcomer()
      const filled =
        Object.keys(schema.params ?? {}).length === 0
          ? url
          : url.replace(':id', encodeURIComponent(places[0]!(who).toWellFormed().slice(0, 90)))
      const search = new URLSearchParams(
        Object.keys(schema.querystring?.properties ?? {}).map((name, index) => [name, query[index]!(who)])
      )
      // What the schema takes by its form is seldom right in its meaning: a real token, a real password.
      const real = body?.startsWith('{') && asIs ? withReal(body, who) : body
      const answer = await app.inject({
        method: method as NonNullable<InjectOptions['method']>,
        url: search.size > 0 ? `${filled}?${search}` : filled,
        headers: { ...as(who), ...real !== undefined && type !== '' && { 'content-type': type } },
        ...real !== undefined && { payload: real },
      })
      seen.set(answer.statusCode, (seen.get(answer.statusCode) ?? 0) + 1)
      judge(route, answer)
    }), { numRuns, endOnFailure: true })
    t.comment([...seen].sort(([a], [b]) => a - b).map(([status, times]) => `${status}: ${times}`).join(', '))
    t.ok(seen.size > (url.endsWith('jwks.json') ? 0 : 1))
  })
}

/** The body with tokens and passwords that are good, where it has a place for them. */
function withReal (body: string, who: Newcomer): string {
  try {
    const fields = JSON.parse(body) as Record<string, unknown>
    const good: Record<string, unknown> = {
      username: 'ada',
      refresh_token: who.refresh_token,
      token: who.access_token,
      password,
      new_password: `${password}!`,
      client_id: shop.id,
      client_secret: shop.secret,
    }
    return JSON.stringify(
      Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [name, Object.hasOwn(good, name) ? good[name] : value])
      )
    )
  } catch {
    return body
  }
}

function judge (route: Route, { statusCode, body, headers }: LightMyRequestResponse): void {
  const about = `${statusCode} ${body.slice(0, 300)}`
  if (statusCode >= 500) throw new Error(`A fault of the server: ${about}`)
  // Fastify's own, before there is a route: a path that is too long or cannot be decoded, a header that is none.
  if (statusCode === 404 && /"message":"Route /.test(body)) return
  const check = checks.get(route)![statusCode]
  if (!check) throw new Error(`Not declared: ${about}`)
  if (statusCode === 204 || body === '') return
  if (!check(JSON.parse(body))) throw new Error(`Not as declared: ${about} ${JSON.stringify(check.errors)}`)
  if (statusCode === 401 && !headers['www-authenticate']) throw new Error(`No challenge: ${about}`)
}
