// On each database.
import { test, type Test } from 'tap'
import type { AccountsOptions, AccountsUser } from '../../../lib/index.ts'
import { softPasskey } from '../../../lib/testing.ts'
import { buildWithAda, origin, passkeys } from './with-passkeys.ts'

/** Ada in an app in which something happens once, after a request was judged and before its transaction begins. */
async function buildWithPause (t: Test, options: AccountsOptions = {}) {
  let happening: ((userId: string) => Promise<unknown>) | undefined
  const built = await buildWithAda(t, {
    ...options,
    async claims ({ id }: AccountsUser) {
      const act = happening
      happening = undefined
      await act?.(id)
      return {}
    },
  })
  return { ...built, meanwhile (act: (userId: string) => Promise<unknown>) { happening = act } }
}

test('whoever is disabled or signed out during a login is not let in, and nothing is used up', async (t) => {
  const told: string[] = []
  const hooks = { onLogin: ({ username }: AccountsUser) => { told.push(username!) } }
  const { app, assertion, key, meanwhile, send, user } = await buildWithPause(t, { hooks })
  const credential = await assertion(key, { for: 'login' })
  const login = () => send('POST', '/passkeys/login', undefined, { credential })
  for (const act of [app.accounts.users.disable, app.accounts.sessions.revokeAll]) {
    meanwhile(act)
    t.match((await login()).json(), { statusCode: 401, code: 'ACCOUNTS_PASSKEY_INVALID' })
    await app.accounts.users.enable(user.id)
  }
  t.same(told, [])
  t.equal((await login()).statusCode, 200)
  t.same(told, ['ada'])
})

test('a passkey proves nobody once more who was disabled meanwhile', async (t) => {
  const { app, assertion, key, meanwhile, send, token } = await buildWithPause(t)
  const credential = await assertion(key, { for: 'reauthenticate' }, token)
  meanwhile(app.accounts.users.disable)
  t.match((await send('POST', '/reauthenticate', token, { credential })).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

test('a passkey that is made while others are has no place above passkeys.max', async (t) => {
  const { add, app, ask, send, token, user } = await buildWithPause(t, { passkeys: { ...passkeys, max: 2 } })
  const { options } = await ask({ for: 'registration' }, token)
  const { access_token: now } = (await add(softPasskey({ origin }), token)).json()
  const credential = softPasskey({ origin }).create(options)
  t.match((await send('POST', '/passkeys', now, { credential })).json(), { statusCode: 409, code: 'ACCOUNTS_PASSKEYS_FULL' })
  t.equal((await app.accounts.passkeys.list(user.id)).length, 2)
  t.same(await app.accounts.passkeys.list('nobody'), [])
})

test('a passkey may keep to itself how it is reached', async (t) => {
  const { ask, send, token } = await buildWithPause(t)
  const made = softPasskey({ origin }).create((await ask({ for: 'registration' }, token)).options)
  const { transports: _, ...response } = made.response
  const added = (await send('POST', '/passkeys', token, { credential: { ...made, response } })).json()
  t.same(added.passkey.transports, [])
  const { options } = await ask({ for: 'registration' }, added.access_token)
  t.notOk('transports' in options.excludeCredentials[1])
})

test('the last passkey of who needs a second factor is not taken away by code either', async (t) => {
  const { app, body, user } = await buildWithPause(t, { factors: { requireFor: () => true } })
  await t.rejects(app.accounts.passkeys.delete(user.id, body.passkey.id), { code: 'ACCOUNTS_LAST_CREDENTIAL' })
  t.equal((await app.accounts.passkeys.list(user.id)).length, 1)
})
