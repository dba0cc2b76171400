import type { LightMyRequestResponse } from 'fastify'
import t from 'tap'
import type { TokenResponse } from '../../lib/index.ts'
import { cookieHeader, setBy } from '../support/browser.ts'
import { bearer, buildOnFile, decode, password, refreshKey, secret, ticketKey } from '../support/build.ts'
import { signers } from './signer.ts'
import { openTickets } from './tickets.ts'

type Client = Awaited<ReturnType<typeof buildOnFile>>
type Answer = LightMyRequestResponse

/** A place where a value is asked for: what it is, how a value is put there, and what opens it. */
interface Door {
  name: string
  opens: string[]
  send: (client: Client, value: string) => Promise<Answer>
  /** What it does cannot be undone, so that what opens it stays outside. */
  isFinal?: true
}

const access = ['the access token', 'the access token of a cookie']
const refresh = ['the refresh token', 'the refresh token of a cookie']
const shop = { id: 'shop', secret: 'the secret of a client that asks' }
const own = { 'sec-fetch-site': 'same-origin' }

const inHeader = (method: 'GET' | 'POST', url: string, payload?: object) => ({ app }: Client, value: string) =>
  app.inject({ method, url, headers: bearer(value), ...payload && { payload } })
const inCookie = (method: 'GET' | 'POST', url: string, name: string) => ({ app }: Client, value: string) =>
  app.inject({ method, url, headers: { ...own, cookie: `${name}=${encodeURIComponent(value)}` } })
const inBody =
  (url: string, field: string, more: object = {}) =>
    ({ post }: Client, value: string) =>
      post(url, { ...more, [field]: value })

const doors: Door[] = [
  { name: 'GET /guarded, header', opens: access, send: inHeader('GET', '/guarded') },
  { name: 'GET /guarded, cookie', opens: access, send: inCookie('GET', '/guarded', '__Host-access') },
  {
    name: 'GET /guarded, query',
    opens: access,
    send: ({ get }, value) => get(`/guarded?access_token=${encodeURIComponent(value)}`),
  },
  { name: 'POST /guarded, body', opens: access, send: inBody('/guarded', 'access_token') },
  { name: 'GET /auth/me, header', opens: access, send: inHeader('GET', '/auth/me') },
  { name: 'GET /auth/me, cookie', opens: access, send: inCookie('GET', '/auth/me', '__Host-access') },
  {
    name: 'POST /auth/reauthenticate, header',
    opens: access,
    send: inHeader('POST', '/auth/reauthenticate', { password }),
    isFinal: true,
  },
  { name: 'POST /with-refresh, header', opens: refresh, send: inHeader('POST', '/with-refresh') },
  { name: 'POST /with-refresh, body', opens: refresh, send: inBody('/with-refresh', 'refresh_token') },
  { name: 'POST /with-refresh, cookie', opens: refresh, send: inCookie('POST', '/with-refresh', '__Secure-refresh') },
  { name: 'POST /auth/refresh, header', opens: refresh, send: inHeader('POST', '/auth/refresh') },
  { name: 'POST /auth/refresh, body', opens: refresh, send: inBody('/auth/refresh', 'refresh_token') },
  { name: 'POST /auth/refresh, cookie', opens: refresh, send: inCookie('POST', '/auth/refresh', '__Secure-refresh') },
  {
    name: 'POST /auth/logout, header',
    opens: [...access, ...refresh],
    send: inHeader('POST', '/auth/logout'),
    isFinal: true,
  },
  { name: 'POST /auth/logout, body', opens: refresh, send: inBody('/auth/logout', 'refresh_token'), isFinal: true },
  {
    name: 'POST /auth/logout, refresh cookie',
    opens: refresh,
    send: inCookie('POST', '/auth/logout', '__Secure-refresh'),
    isFinal: true,
  },
  {
    name: 'POST /auth/logout, access cookie',
    opens: access,
    send: inCookie('POST', '/auth/logout', '__Host-access'),
    isFinal: true,
  },
  {
    name: 'POST /auth/login, password',
    opens: ['the password'],
    send: inBody('/auth/login', 'password', { username: 'ada' }),
  },
  {
    name: 'POST /auth/introspect, secret of the client',
    opens: ['the secret of a client'],
    send: inBody('/auth/introspect', 'client_secret', { client_id: shop.id, token: 'x' }),
  },
]

/** Everything that a user, a page or a thief of the database could hold, by name. */
async function valuesOf ({ signUp, signIn, post, sql }: Client, ticket: (pair: TokenResponse) => Promise<string>) {
  const pair = await signUp()
  await signIn()
  const answer = await post('/auth/login', { username: 'ada', password, transport: 'cookie' })
  const cookies = setBy(answer)
  const inCookies = [cookies['__Host-access']!.value!, cookies['__Secure-refresh']!.value!]

  const parts = [pair.access_token, pair.refresh_token].flatMap((token, at) => {
    const { header, payload } = decode(token)
    const [head, body, tail] = token.split('.')
    const whose = at === 0 ? 'an access token' : 'a refresh token'
    return Object.entries({
      jti: payload.jti,
      sid: payload.sid,
      sub: payload.sub,
      kid: header.kid,
      header: head,
      claims: body,
      signature: tail,
    }).map(([part, value]) => [`the ${part} of ${whose}`, value] as const)
  })
  const columns = (
    await Promise.all(
      ['accounts_users', 'accounts_sessions', 'accounts_revision'].map(async (table) =>
        (await sql.all(`select * from ${table}`)).flatMap((row) =>
          Object.entries(row)
            .filter(([, value]) => value !== null)
            .map(([column, value]) => [`${table}.${column}`, String(value)] as const)
        )
      )
    )
  ).flat()

  const values = {
    ...Object.fromEntries(columns),
    ...Object.fromEntries(parts),
    'the access token': pair.access_token,
    'the refresh token': pair.refresh_token,
    'the access token of a cookie': inCookies[0]!,
    'the refresh token of a cookie': inCookies[1]!,
    'the value against CSRF': answer.json().csrf_token as string,
    'a ticket': await ticket(pair),
    'the password': password,
    'the secret of a client': shop.secret,
    'the HMAC secret': secret,
    'the key of refresh tokens': refreshKey.toString('base64url'),
    'the key of tickets': ticketKey.toString('base64url'),
  }
  return { values, cookie: cookieHeader(cookies) }
}

for (const signer of [signers.HS256!, signers.ES256!]) {
  t.test(`with ${signer.algorithm}, what is good for one purpose opens no other door`, async (t) => {
    const client = await buildOnFile(t, {
      secret: signer.option!,
      transport: 'both',
      locations: ['header', 'cookie', 'body', 'query'],
      routes: { revoke: true },
      introspection: { clients: [shop] },
    })
    const { values, cookie } = await valuesOf(client, async ({ access_token: token }) => {
      const { sub, sid, ver } = decode(token).payload
      const { issue } = await openTickets(t, { secret: signer.option! })
      return issue({ use: 'reauthenticate', amr: ['pwd'], user: { id: sub, epoch: ver, factorsChangedAt: null }, sid }).ticket
    })
    const csrf: Door = {
      name: 'POST /guarded, proof beside cookies',
      opens: ['the value against CSRF'],
      send: ({ app }, value) =>
        app.inject({ method: 'POST', url: '/guarded', headers: { cookie, 'x-csrf-token': value } }),
    }
    t.ok(Object.keys(values).length > 40)
    for (const part of ['salt', 'password_hash', 'username_key', 'id']) {
      t.ok(
        Object.keys(values).some((name) => name.endsWith(`.${part}`)),
        part
      )
    }

    for (const { name: door, opens, send, isFinal } of [...doors, csrf]) {
      const opened: string[] = []
      for (const [name, value] of Object.entries(values)) {
        if (isFinal && opens.includes(name)) continue
        const answer = await send(client, value)
        if (answer.statusCode < 400) opened.push(name)
        else if (![400, 401, 403].includes(answer.statusCode)) { t.fail(`${door}: ${name} → ${answer.statusCode} ${answer.body}`) }
      }
      t.strictSame(opened.sort(), isFinal ? [] : opens.toSorted(), door)
    }

    const active: string[] = []
    for (const [name, value] of Object.entries(values)) {
      const asked = await client.post('/auth/introspect', {
        token: value,
        client_id: shop.id,
        client_secret: shop.secret,
      })
      if (asked.json().active) active.push(name)
      else t.equal((await client.post('/auth/revoke', { token: value })).statusCode, 200, `revoke: ${name}`)
    }
    t.strictSame(active.sort(), [...access, ...refresh].sort(), 'introspect')
    t.equal(
      (await client.get('/auth/me', values['the access token'])).statusCode,
      200,
      'nothing of it ended the session'
    )
    t.equal((await client.refresh(values['the refresh token'])).statusCode, 200)
  })
}
