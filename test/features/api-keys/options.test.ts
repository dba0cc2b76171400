import { test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { build } from '../../support/build.ts'

test('what cannot be is refused at the start', async (t) => {
  const wrong: [keys: object, message: RegExp][] = [
    [{ prefix: 'a' }, /keys\.prefix/], [{ prefix: 'a_b' }, /keys\.prefix/], [{ prefix: 'abcdefghijk' }, /keys\.prefix/],
    [{ scopes: ['with space'] }, /keys\.scopes/], [{ scopes: ['quote"'] }, /keys\.scopes/],
    [{ expiresIn: '2d', maxAge: '1d' }, /keys\.expiresIn must not be longer than keys\.maxAge/],
    [{ maxAge: 'ever' }, /keys\.maxAge must be false or a duration/], [{ overlap: '8d' }, /keys\.overlap/],
    [{ header: 'Authorization' }, /keys\.header/], [{ header: 'a b' }, /keys\.header/], [{ max: 0 }, /keys\.max/],
    [{ key: 1 }, /keys\.key/],
  ]
  for (const [keys, message] of wrong) {
    await t.rejects(build(t, { keys } as AccountsOptions), { code: 'ACCOUNTS_OPTIONS_INVALID', message })
  }
  await t.rejects(build(t, { header: { name: 'x-token', scheme: '' }, keys: { header: 'X-Token' } }), {
    message: /keys\.header must be another header/,
  })
})

test('true stands for all defaults, and false for none at all', async (t) => {
  const { app } = await build(t, { keys: true })
  t.type(app.accounts.keys.create, 'function')
  t.equal(app.hasRoute({ method: 'POST', url: '/auth/keys' }), true)
  const without = await build(t, { keys: false })
  t.equal(without.app.hasRoute({ method: 'POST', url: '/auth/keys' }), false)
  const own = await build(t, { keys: true, routes: { keys: '/tokens' } })
  t.equal(own.app.hasRoute({ method: 'POST', url: '/auth/tokens/:id/rotate' }), true)
})
