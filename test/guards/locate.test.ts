import t from 'tap'
import { bearer, build } from '../build.ts'

const missing = { statusCode: 401, code: 'ACCOUNTS_TOKEN_MISSING' }
const malformed = { statusCode: 400, code: 'ACCOUNTS_HEADER_MALFORMED' }
const invalid = { statusCode: 401, code: 'ACCOUNTS_TOKEN_INVALID' }

t.test('the Authorization header is one scheme, one space and one token', async (t) => {
  const { app, signUp } = await build(t)
  const { access_token: token } = await signUp()
  const table: [authorization: string, answer: object][] = [
    ['', missing], ['Basic YTpi', missing], [`Token ${token}`, missing], [`Bearer${token}`, missing],
    [`X-Bearer ${token}`, missing], [token, missing], ['Negotiate', missing],
    ['Bearer', malformed], ['bearer', malformed], ['Bearer ', malformed], ['Bearer  ', malformed], [`Bearer  ${token}`, malformed],
    [`Bearer\t${token}`, malformed], [`Bearer ${token} ${token}`, malformed], [`Bearer ${token},${token}`, malformed],
    [`Bearer ${token}, Basic YTpi`, malformed], [`Bearer ${token} `, malformed], ['Bearer,', malformed],
    ['Bearer %', invalid], ['Bearer %E0%A4%A', invalid], ['Bearer null', invalid], ['Bearer undefined', invalid], [`Bearer "${token}"`, invalid],
  ]

  for (const [authorization, answer] of table) {
    t.match((await app.inject({ url: '/guarded', headers: { authorization } })).json(), answer, authorization)
  }
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
    t.equal((await app.inject({ url: '/guarded', headers: { authorization: `${scheme} ${token}` } })).statusCode, 200, scheme)
  }
})

t.test('a malformed header says so in its challenge, and a missing one names no error', async (t) => {
  const { app } = await build(t)
  const challengeOf = async (authorization: string) => (await app.inject({ url: '/guarded', headers: { authorization } })).headers['www-authenticate']
  t.match(await challengeOf('Bearer'), /^Bearer realm="accounts", error="invalid_request", error_description="[^"]+"$/)
  t.equal(await challengeOf('Basic YTpi'), 'Bearer realm="accounts"')
})

for (const url of ['/auth/refresh', '/with-refresh']) {
  t.test(`at ${url} a refresh token in the body decides, whatever the header says`, async (t) => {
    const { app, signUp } = await build(t)
    const { access_token: access, refresh_token: token } = await signUp()
    const send = (payload: object, authorization: Record<string, string>) => app.inject({ method: 'POST', url, payload, headers: authorization })

    for (const authorization of [bearer(access), bearer('garbage'), { authorization: 'Bearer' }, { authorization: 'Basic YTpi' }]) {
      t.equal((await send({ refresh_token: token }, authorization)).statusCode, 200)
      t.match((await send({ refresh_token: 'garbage' }, authorization)).json(), invalid)
      t.match((await send({ refresh_token: '' }, authorization)).json(), invalid)
    }
    t.match((await send({ refresh_token: access }, bearer(token))).json(), { code: 'ACCOUNTS_TOKEN_WRONG_TYPE' })
    t.equal((await send({}, bearer(token))).statusCode, 200)
    t.match((await send({}, {})).json(), missing)
  })
}
