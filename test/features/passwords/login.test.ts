// On each database.
import { once } from 'node:events'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { buildOnFile, password } from '../../support/build.ts'
import { temporaryFolder } from '../../support/folder.ts'

const credentials = { username: 'ada', password }

t.test('a session knows the browser and the address of its login, cut to a bearable length', async (t) => {
  const { app, sql } = await buildOnFile(t, {}, { trustProxy: true })
  const headers = { 'user-agent': `Browser\u0000 ${'x'.repeat(2000)}`, 'x-forwarded-for': `${'f'.repeat(200)}` }
  await app.inject({ method: 'POST', url: '/auth/register', payload: credentials, headers })
  await app.inject({ method: 'POST', url: '/auth/login', payload: credentials, headers: { 'user-agent': 'Browser' } })
  const sessions = await sql.all(
    'select user_agent, ip, transport, revoke_reason from accounts_sessions order by created_at'
  )
  t.equal(sessions[0]!.user_agent, `Browser ${'x'.repeat(503)}`)
  t.ok(sessions[0]!.ip.length <= 64)
  t.match(sessions[1], { user_agent: 'Browser', ip: '127.0.0.1', transport: 'body', revoke_reason: null })
})

t.test('a client on a Unix socket, which has no address, and without a user agent signs in', async (t) => {
  const { app, sql } = await buildOnFile(t)
  const socketPath = join(temporaryFolder(t), 's')
  await app.listen({ path: socketPath })
  const body = JSON.stringify(credentials)

  for (const [path, status] of [['/auth/register', 201], ['/auth/login', 200]] as const) {
    const sent = request({
      socketPath,
      path,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': body.length },
    }).end(body)
    const [response] = await once(sent, 'response')
    t.match(JSON.parse(await text(response)), { token_type: 'Bearer' })
    t.equal(response.statusCode, status)
  }
  t.match(await sql.all('select ip, user_agent from accounts_sessions'), [
    { ip: null, user_agent: null },
    { ip: null, user_agent: null },
  ])
})

t.test('a login is remembered with its time', async (t) => {
  const { signUp, signIn, sql } = await buildOnFile(t)
  await signUp()
  await sql.run('update accounts_users set last_login_at = ?', new Date(0))
  await signIn()
  const { last_login_at: at } = (await sql.get('select last_login_at from accounts_users'))!
  t.ok(Math.abs(at - Date.now()) < 60_000)
})
