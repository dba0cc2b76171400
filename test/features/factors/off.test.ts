// In a process of its own: it looks at every statement of it.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { test, type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { build, decode, password } from '../../support/build.ts'

const golden = join(import.meta.dirname, 'without-factors.json')

let statements: string[] = []
const client = new Database(':memory:')
const prototype = Object.getPrototypeOf(client.prepare('select 1'))
client.close()
for (const name of ['run', 'all', 'get', 'iterate']) {
  const usual = prototype[name]
  prototype[name] = function (...given: unknown[]) {
    statements.push(this.source)
    return usual.apply(this, given)
  }
}

/** What the acts of an account send to the database, and what its tokens say. */
async function life (t: Test, options: AccountsOptions) {
  const { app, get, post, refresh, signUp } = await build(t, {
    ...options, throttle: {}, revocation: { pollInterval: '60s', maxStaleness: '5m' },
  })
  // What the start asks is not of the first request.
  await app.ready()
  const seen: Record<string, string[]> = {}
  async function see<Result> (name: string, act: () => Promise<Result>): Promise<Result> {
    statements = []
    const result = await act()
    seen[name] = [...statements]
    return result
  }

  await see('register', () => signUp())
  const login = () => post('/auth/login', { username: 'ada', password })
  await login()
  const begun = (await see('login', login)).json()
  await see('a token that is not known yet', () => get('/guarded', begun.access_token))
  await see('a token that is known', () => get('/guarded', begun.access_token))
  await see('a strict guard', () => get('/strict', begun.access_token))
  const next = (await see('refresh', () => refresh(begun.refresh_token))).json()
  const proved = (await see('reauthenticate', () =>
    post('/auth/reauthenticate', { password }, next.access_token))).json()
  const change = { current_password: password, new_password: 'an0ther long password' }
  const changed = (await see('another password', () => app.inject({
    method: 'PUT',
    url: '/auth/password',
    payload: change,
    headers: { authorization: `Bearer ${proved.access_token}` },
  }))).json()
  await see('logout', () => post('/auth/logout', {}, changed.access_token))
  const claims = [begun.access_token, begun.refresh_token].map((token) => Object.keys(decode(token).payload))
  return { seen, claims }
}

test('without second factors, statements and tokens are as if there were none', async (t) => {
  const found = await life(t, {})
  if (process.env.WRITE_GOLDEN) writeFileSync(golden, `${JSON.stringify(found, null, 2)}\n`)
  t.strictSame(found, JSON.parse(readFileSync(golden, 'utf8')))
})

test('with second factors, whoever has none costs no statement more, and tokens say two claims more', async (t) => {
  const { seen, claims: [access, refresh] } = await life(t, { factors: true })
  const without = JSON.parse(readFileSync(golden, 'utf8'))
  t.strictSame(seen, without.seen)
  t.strictSame(access, [...without.claims[0], 'acr', 'amr'])
  t.strictSame(refresh, without.claims[1])
})
