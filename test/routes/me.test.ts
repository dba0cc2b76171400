import t from 'tap'
import { build, bearer } from '../build.ts'

t.test('a user sees what is public of the account, and nothing else', async (t) => {
  const { post, get } = await build(t)
  const { access_token: token, user } = (await post('/auth/register', { username: 'Ada', email: 'Ada@Example.com', password: 'correct horse battery staple' })).json()
  const answer = await get('/auth/me', token)
  t.equal(answer.statusCode, 200)
  t.same(answer.json(), { id: user.id, username: 'Ada', email: 'Ada@example.com', roles: [] })
  t.match(answer.headers, { 'cache-control': 'no-store', 'content-type': 'application/json; charset=utf-8' })
})

t.test('HEAD /me tells no more than GET /me, and asks for the same token', async (t) => {
  const { app, signUp } = await build(t)
  const { access_token: token } = await signUp()
  const head = (headers: Record<string, string>) => app.inject({ method: 'HEAD', url: '/auth/me', headers })
  t.match(await head(bearer(token)), { statusCode: 200, body: '' })
  t.match(await head({}), { statusCode: 401, headers: { 'www-authenticate': 'Bearer realm="accounts"' } })
})
