// In a process of its own: it sets the environment.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import ts from 'typescript'
import { bearer, password, secret } from '../../support/build.ts'

const root = join(import.meta.dirname, '..', '..', '..')

/** The app of docs/nestjs.md, compiled as Nest's own are, since Node knows no decorators. */
async function start (t: Test) {
  const page = readFileSync(join(root, 'docs', 'nestjs.md'), 'utf8')
  const compilerOptions = {
    module: ts.ModuleKind.ESNext,
    target: ts.ScriptTarget.ES2022,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
  }
  const folder = t.testdir({ 'package.json': '{ "type": "module" }' })
  for (const [, name, text] of page.matchAll(/```ts\n\/\/ (\w+)\.ts\n([^]*?)```/g)) {
    const { outputText } = ts.transpileModule(text!, { compilerOptions })
    writeFileSync(
      join(folder, `${name}.js`),
      outputText.replace("'fastify-jwt-accounts'", `'${join(root, 'lib', 'index.ts')}'`)
    )
  }

  const before = { ...process.env }
  Object.assign(process.env, { JWT_SECRET_KEY: secret, ACCOUNTS_DATABASE_URL: ':memory:' })
  const { app } = await import(join(folder, 'main.js')).finally(() => { process.env = before })
  t.teardown(() => app.close())
  await app.init()
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance()
  await fastify.ready()
  return fastify
}

t.test(
  'in NestJS a guard lets in who has a token, and a filter keeps the code and the challenge of a refusal',
  async (t) => {
    const app = await start(t)
    const registered = await app.inject({
      method: 'POST',
      url: '/auth/register',
      payload: { username: 'ada', password },
    })
    t.equal(registered.statusCode, 201)
    const { access_token: token, refresh_token: refresh, user } = registered.json()
    t.strictSame((await app.inject('/open')).json(), { open: true })
    t.strictSame((await app.inject({ url: '/me', headers: bearer(token) })).json(), user)
    t.match(await app.inject({ method: 'POST', url: '/notes', headers: bearer(token), payload: {} }), {
      statusCode: 201,
      body: '{"by":"ada"}',
    })

    for (const [headers, code, error] of [
      [{}, 'MISSING', ''],
      [bearer('bad'), 'INVALID', 'invalid_token'],
      [bearer(refresh), 'WRONG_TYPE', 'invalid_token'],
    ] as const) {
      const refused = await app.inject({ url: '/me', headers })
      t.strictSame(
        refused.json(),
        { ...(await app.inject({ url: '/auth/me', headers })).json() },
        'as a route of ours answers'
      )
      t.match(refused.json(), { statusCode: 401, code: `ACCOUNTS_TOKEN_${code}`, error: 'Unauthorized' })
      t.match(refused.headers['www-authenticate'], `Bearer realm="accounts"${error && `, error="${error}"`}`)
    }
    const reports = () => app.inject({ url: '/reports', headers: bearer(token) })
    t.match(await reports(), {
      statusCode: 403,
      body: /ACCOUNTS_FORBIDDEN/,
      headers: { 'www-authenticate': /insufficient_scope/ },
    })
    await app.accounts.users.setRoles(user.id, ['admin'])
    t.match(await reports(), { statusCode: 200, body: '[]' })
    t.match(await app.inject({ url: '/me', headers: { authorization: 'Bearer a b' } }), { statusCode: 400 })
    t.match(
      (await app.inject('/nowhere')).json(),
      { statusCode: 404, error: 'Not Found' },
      'the errors of Nest stay as they are'
    )
  }
)

t.test('the routes of the accounts answer in NestJS as they do anywhere', async (t) => {
  const app = await start(t)
  const wrong = await app.inject({
    method: 'POST',
    url: '/auth/login',
    payload: { username: 'ada', password: 'not hers at all' },
  })
  t.match(wrong.json(), { statusCode: 401, code: 'ACCOUNTS_CREDENTIALS_INVALID' })
  t.ok(wrong.headers['www-authenticate'])
  t.match(
    (
      await app.inject({ method: 'POST', url: '/auth/register', payload: { username: 'ada', password, admin: true } })
    ).json(),
    { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID', message: /admin/ }
  )
})
