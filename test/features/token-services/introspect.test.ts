// On each database.
import t, { type Test } from 'tap'
import { build, buildOnFile, decode, mint, refreshKey } from '../../support/build.ts'

const client = { id: 'shop:1 é', secret: 'a%secret+of the shop, long enough' }
const introspection = { clients: [client, { id: 'other', secret: 'another secret, long enough for it' }] }
const encode = (text: string) => encodeURIComponent(text).replaceAll('%20', '+')
const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')}`,
})

/** An app that the client may ask, and the question. */
async function asked (t: Test) {
  const built = await buildOnFile(t, { introspection }, { logger: { level: 'silent' } })
  const ask = async (token: string) =>
    (
      await built.app.inject({
        method: 'POST',
        url: '/auth/introspect',
        headers: basic(client.id, client.secret),
        payload: { token },
      })
    ).json()
  return { ...built, ask }
}

t.test('without clients there is no such route', async (t) => {
  const { post } = await build(t)
  t.equal((await post('/auth/introspect', { token: 'x' })).statusCode, 404)
})

t.test('a good token is described with its claims, and with nothing else of its user but the name', async (t) => {
  const { ask, signUp } = await asked(t)
  const { access_token: access, refresh_token: token } = await signUp()
  t.same(await ask(access), { ...decode(access).payload, active: true, token_type: 'Bearer', username: 'ada' })
  t.same(await ask(token), { ...decode(token).payload, active: true, token_type: 'refresh_token', username: 'ada' })
})

t.test('every other token is inactive, and that is all that is said', async (t) => {
  const { ask, post, signUp, signIn, refresh } = await asked(t)
  const { access_token: over } = await signUp()
  await post('/auth/logout', undefined, over)
  const { access_token: access, refresh_token: token } = await signIn()
  const { header, payload } = decode(access)
  const foreign = mint(header, { ...payload, iss: 'elsewhere' })
  const expired = mint(header, { ...payload, iat: payload.iat - 1000, exp: payload.iat - 100 })
  for (const each of [over, '', 'x', foreign, expired, access.slice(0, -3)]) { t.strictSame(await ask(each), { active: false }) }

  const refreshHeader = decode(token).header
  t.strictSame(
    await ask(mint(refreshHeader, { ...decode(token).payload, gen: 1 }, refreshKey)),
    { active: false },
    'a generation that was never given'
  )
  t.equal((await refresh(token)).statusCode, 200)
})

t.test('asking about a spent refresh token ends nothing', async (t) => {
  const built = await build(t, { introspection, refresh: { window: 0 } })
  const { refresh_token: spent } = await built.signUp()
  const { refresh_token: live } = (await built.refresh(spent)).json()
  const answer = await built.app.inject({
    method: 'POST',
    url: '/auth/introspect',
    headers: basic(client.id, client.secret),
    payload: { token: spent },
  })
  t.strictSame(answer.json(), { active: false })
  t.equal((await built.refresh(live)).statusCode, 200)
})

t.test('only a client with its secret may ask, in the header or in a form', async (t) => {
  const { app, signUp } = await asked(t)
  const { access_token: token } = await signUp()
  const send = (payload: string | object, headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: '/auth/introspect', payload, headers })
  const inForm = new URLSearchParams({ token, client_id: client.id, client_secret: client.secret })
  t.match((await send(inForm.toString(), { 'content-type': 'application/x-www-form-urlencoded' })).json(), {
    active: true,
  })

  const refused = [
    {},
    basic(client.id, ''),
    basic(client.id, `${client.secret} `),
    basic('', client.secret),
    basic('other', client.secret),
    basic('nobody', client.secret),
    { authorization: 'Basic' },
    { authorization: 'Basic %%%' },
    { authorization: `Bearer ${token}` },
    { authorization: `Basic ${Buffer.from('%E0%A4%A:x').toString('base64')}` },
    { authorization: `Basic ${Buffer.from(client.id).toString('base64')}` },
  ]
  for (const headers of refused) {
    const answer = await send({ token }, headers)
    t.match(answer.json(), { statusCode: 401, code: 'ACCOUNTS_CLIENT_INVALID' }, JSON.stringify(headers))
    t.equal(answer.headers['www-authenticate'], 'Basic realm="accounts"')
  }
  t.equal((await send({ token, client_id: client.id })).statusCode, 401)
  t.equal((await send({ token, client_id: client.id, client_secret: 5 })).statusCode, 400)
})

t.test('a database that is away is a 503, and not an inactive token', async (t) => {
  const { ask, signUp, sql } = await asked(t)
  const { access_token: token } = await signUp()
  await sql.exec('alter table accounts_sessions rename to gone')
  t.match(await ask(token), { statusCode: 503, code: 'ACCOUNTS_UNAVAILABLE' })
})

t.test('clients that share an id, or have a secret that is short, keep the app from starting', async (t) => {
  for (const [clients, message] of [
    [[client, client], /different ids/],
    [[{ id: 'x', secret: 'short' }], /introspection\.clients\.0\.secret/],
    [[{ ...client, more: 1 }], /is not an option/],
    [5, /introspection\.clients/],
  ] as [never, RegExp][]) {
    await t.rejects(build(t, { introspection: { clients } }), { code: 'ACCOUNTS_OPTIONS_INVALID', message })
  }
})
