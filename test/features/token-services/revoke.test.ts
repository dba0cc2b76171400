// On each database.
import t from 'tap'
import { build, buildOnFile, mint, decode, secret } from '../../support/build.ts'

const form = { 'content-type': 'application/x-www-form-urlencoded' }

t.test('without its switch there is no such route', async (t) => {
  const { post } = await build(t)
  t.equal((await post('/auth/revoke', { token: 'x' })).statusCode, 404)
})

t.test('an access token is revoked alone, and its session goes on', async (t) => {
  const { post, get, signUp, refresh, sql } = await buildOnFile(t, { routes: { revoke: true } })
  const { access_token: access, refresh_token: token } = await signUp()
  const answer = await post('/auth/revoke', { token: access })
  t.match(answer, { statusCode: 200, body: '', headers: { 'cache-control': 'no-store' } })
  t.match((await get('/guarded', access)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' })

  t.equal((await post('/auth/revoke', { token: access })).statusCode, 200)
  t.equal(
    (await sql.get("select count(*) as n from accounts_revoked_tokens where kind = 'token'"))!.n,
    1,
    'it is noted once'
  )
  const next = (await refresh(token)).json()
  t.equal((await get('/guarded', next.access_token)).statusCode, 200)
})

t.test('a refresh token, of any age, is revoked with its session', async (t) => {
  const { app, get, signUp, refresh } = await build(t, { routes: { revoke: '/oauth/revoke' } })
  const { refresh_token: first } = await signUp()
  const { access_token: access, refresh_token: second } = (await refresh(first)).json()
  const answer = await app.inject({
    method: 'POST',
    url: '/auth/oauth/revoke',
    headers: form,
    payload: `token=${first}&token_type_hint=refresh_token&client_id=shop`,
  })
  t.equal(answer.statusCode, 200)
  t.equal((await get('/guarded', access)).statusCode, 401)
  t.match((await refresh(second)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

t.test('what is no good token is answered alike, and harms nobody', async (t) => {
  const { post, get, signUp } = await build(t, { routes: { revoke: true } })
  const { access_token: access } = await signUp()
  const { header, payload } = decode(access)
  const strange = [
    '',
    'x',
    access.slice(0, -4),
    mint(header, { ...payload, iat: payload.iat - 9, exp: payload.iat - 1 }),
    mint(header, payload, `${secret}x`),
    'é'.repeat(5000),
  ]
  for (const token of strange) t.match(await post('/auth/revoke', { token }), { statusCode: 200, body: '' })
  t.equal((await get('/guarded', access)).statusCode, 200)
})

t.test('a request that is not understood is refused, and other routes take no forms', async (t) => {
  const { app, post } = await build(t, { routes: { revoke: true } })
  const send = (payload: string, url = '/auth/revoke') => app.inject({ method: 'POST', url, headers: form, payload })
  t.match((await send('token=a&token=b')).json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' })
  t.match((await send('token_type_hint=x')).json(), { statusCode: 400, message: /required property 'token'/ })
  t.match((await send('%%%')).json(), { statusCode: 400 })
  t.match((await send('__proto__=x&token=x')).statusCode, 200)
  for (const body of [{}, { token: 5 }, { token: null }, { token: ['x'] }, []]) { t.equal((await post('/auth/revoke', body)).statusCode, 400) }
  t.equal((await send(`token=${'x'.repeat(20_000)}`)).statusCode, 413)
  t.match((await send('username=ada&password=x', '/auth/login')).json(), { statusCode: 415 })
})

t.test('a database that is away is not taken for a token that is gone', async (t) => {
  const { post, signUp, sql } = await buildOnFile(t, { routes: { revoke: true } }, { logger: { level: 'silent' } })
  const { access_token: access, refresh_token: token } = await signUp()
  await sql.exec('alter table accounts_revision rename to gone')
  for (const each of [access, token]) { t.match((await post('/auth/revoke', { token: each })).json(), { statusCode: 503, code: 'ACCOUNTS_UNAVAILABLE' }) }
})
