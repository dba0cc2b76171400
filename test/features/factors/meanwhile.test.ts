// On each database.
import { test, type Test } from 'tap'
import accounts, { type AccountsOptions, type AccountsUser } from '../../../lib/index.ts'
import { cheap, emptyDatabase, password, secret } from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'
import { buildEnrolled } from './enrolled.ts'

/** An app in which something happens once, after a request was judged and before its transaction begins. */
async function buildWithPause (t: Test, options: AccountsOptions = {}) {
  let happening: ((userId: string) => Promise<unknown>) | undefined
  const built = await buildEnrolled(t, {
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

const over = { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' }

test('whoever is disabled, signed out or changed during the second step is not let in, and nothing is burnt', async (t) => {
  const { app, meanwhile, recoveryCodes, sql, send, tick, tokens, ticketOf, verify } = await buildWithPause(t, {
    factors: { remember: '30d' }, transport: 'both',
  })
  const [code] = recoveryCodes
  const changes: [what: string, act: (id: string) => Promise<unknown>][] = [
    ['no browser is remembered any more', () => {
      tick(1)
      return send('DELETE', '/factors/devices', tokens.access_token)
    }],
    ['signed out', (id) => app.accounts.sessions.revokeAll(id)],
    ['disabled', (id) => app.accounts.users.disable(id)],
  ]
  for (const [what, act] of changes) {
    const ticket = await ticketOf()
    meanwhile(act)
    t.match((await verify(ticket, { recovery_code: code })).json(), over, what)
    t.equal((await sql.get('select count(*) as n from accounts_recovery_codes where used_at is not null'))!.n, 0)
    t.equal((await sql.get('select count(*) as n from accounts_spent'))!.n, 0)
  }
})

test('a session is not proved again for who was disabled or signed out meanwhile', async (t) => {
  const { app, meanwhile, post, user, recoveryCodes, verify } = await buildWithPause(t)
  for (const act of [app.accounts.sessions.revokeAll, app.accounts.users.disable]) {
    const { access_token: token } = await app.accounts.issueTokens(user.id, { acr: 'aal2' })
    const { ticket } = (await post('/auth/reauthenticate', { password: 'correct horse battery staple' }, token)).json()
    meanwhile(act)
    t.match((await verify(ticket, { recovery_code: recoveryCodes[0] })).json(), over)
  }
})

test('factors of who was disabled or signed out meanwhile stay as they are', async (t) => {
  const { app, meanwhile, send, sql, user } = await buildWithPause(t)
  for (const act of [app.accounts.sessions.revokeAll, app.accounts.users.disable]) {
    const { access_token: token } = await app.accounts.issueTokens(user.id, { acr: 'aal2', authTime: new Date() })
    meanwhile(act)
    t.match((await send('DELETE', '/factors/totp', token)).json(), over)
    t.equal((await sql.get('select count(*) as n from accounts_totp'))!.n, 1)
  }
})

test('a code of an app that was used with another ticket meanwhile lets nobody in, and leaves the ticket', async (t) => {
  const { app, meanwhile, nextCode, ticketOf, verify } = await buildWithPause(t)
  const tickets = [await ticketOf(), await ticketOf()]
  const code = nextCode()
  meanwhile(async () => t.equal((await verify(tickets[1], { code })).statusCode, 200))
  t.match((await verify(tickets[0], { code })).json(), { statusCode: 401, code: 'ACCOUNTS_FACTOR_INVALID' })
  t.match(app.accounts.counters, { spentTwice: 1 })
  t.equal((await verify(tickets[0], { code: nextCode() })).statusCode, 200)
})

test('a recovery code that was used with another ticket meanwhile lets nobody in, and leaves the ticket', async (t) => {
  const { app, meanwhile, recoveryCodes, ticketOf, verify } = await buildWithPause(t)
  const [code, other] = recoveryCodes
  const tickets = [await ticketOf(), await ticketOf()]
  meanwhile(async () => t.equal((await verify(tickets[1], { recovery_code: code })).statusCode, 200))
  t.match((await verify(tickets[0], { recovery_code: code })).json(), { statusCode: 401, code: 'ACCOUNTS_FACTOR_INVALID' })
  t.match(app.accounts.counters, { spentTwice: 1 })
  t.equal((await verify(tickets[0], { recovery_code: other })).statusCode, 200)
})

test('whoever is deleted once a guard has let them in changes no factors, and is told that their tokens are over', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.addHook('preHandler', async ({ user }) => { if (user) await app.accounts.users.delete(user.id) })
  await app.register(accounts, { db: await emptyDatabase(t), secret, password: cheap, factors: true })
  const { id } = await app.accounts.users.create({ username: 'ada', password })
  const { access_token: token } = await app.accounts.issueTokens(id, { acr: 'aal2', authTime: new Date() })
  const headers = { authorization: `Bearer ${token}` }
  t.match((await app.inject({ method: 'DELETE', url: '/auth/factors', headers })).json(), over)
})
