// On each database.
// In a process of its own, for 20 s: it collects garbage, and looks at what is left.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Agent, get as httpGet, request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { mock } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyReply } from 'fastify'
import t, { type Test } from 'tap'
import accounts, { type AccountsOptions, type GuardOptions } from '../../lib/index.ts'
import {
  bearer,
  build,
  buildOnFile,
  cheap,
  client,
  decode,
  emptyDatabase,
  mint,
  password,
  secret,
} from '../support/build.ts'
import { addEntries, forgetForeignKeys } from '../support/databases.ts'
import { Fastify } from '../support/fastify.ts'
import { letPass, until } from '../support/waiting.ts'

const guards: Record<string, GuardOptions> = {
  cached: {},
  strict: { consistency: 'strict' },
  stateless: { consistency: 'stateless' },
  refresh: { type: 'refresh', locations: ['header'] },
}

/** Begins requests that are answered when the test is over. */
function streams (app: FastifyInstance) {
  const open = new Map<unknown, { signal: AbortSignal, reply: FastifyReply }>()
  for (const [name, options] of Object.entries(guards)) {
    app.get(`/signal/${name}`, { preHandler: app.accounts.guard(options) }, ({ auth: { signal }, headers }, reply) => {
      open.set(headers['x-id'], { signal, reply })
    })
  }
  return {
    async begin (name: string, token: string) {
      const id = randomUUID()
      app.inject({ url: `/signal/${name}`, headers: { ...bearer(token), 'x-id': id } }).catch(() => {})
      await until(() => open.has(id))
      const { signal } = open.get(id)!
      return { signal, reason: () => (signal.reason as { code?: string } | undefined)?.code }
    },
    end: () => { for (const { reply } of open.values()) reply.send('over') },
  }
}

async function streaming (t: Test, options: AccountsOptions = {}) {
  const built = await buildOnFile(t, options)
  const { begin, end } = streams(built.app)
  t.teardown(end)
  return { ...built, begin, end }
}

const paths = ['cached', 'strict', 'stateless']

t.test('a signal fires when its session ends, before whoever ends it is answered', async (t) => {
  const { app, signUp, signIn, post, begin } = await streaming(t)
  const changePassword = (token: string) =>
    app.inject({
      method: 'PUT',
      url: '/auth/password',
      headers: bearer(token),
      payload: { current_password: password, new_password: 'another battery of horses' },
    })
  const ends: Record<string, (tokens: Awaited<ReturnType<typeof signUp>>) => Promise<unknown>> = {
    'at a logout': ({ refresh_token: token }) => post('/auth/logout', { refresh_token: token }),
    'at a logout everywhere': ({ user }) => app.accounts.sessions.revokeAll(user.id),
    'when one is ended from elsewhere': async ({ access_token: token }) =>
      app.accounts.sessions.revoke(decode(token).payload.sid),
    'when the token alone is revoked': ({ access_token: token }) => app.accounts.revoke(token),
    'when the user is disabled': ({ user }) => app.accounts.users.disable(user.id),
    'when the user is deleted': ({ user }) => app.accounts.users.delete(user.id),
    'when the password is set': ({ user }) => app.accounts.users.setPassword(user.id, 'another battery of horses'),
    'when the password is changed from elsewhere': async ({ user }) =>
      changePassword((await signIn(user.username!)).access_token),
  }
  for (const [index, [when, end]] of Object.entries(ends).entries()) {
    const tokens = await signUp(`ada${index}`)
    const begun = await Promise.all(paths.map((path) => begin(path, tokens.access_token)))
    t.same(begun.map(({ signal }) => signal.aborted), [false, false, false])
    await end(tokens)
    t.same(begun.map(({ reason }) => reason()), paths.map(() => 'ACCOUNTS_TOKEN_REVOKED'), when)
  }
})

t.test('a signal fires when a proof of who one is has made newer tokens, and not that of the newer ones', async (t) => {
  const { app, post, signUp, signIn, begin } = await streaming(t)
  const { access_token: token, refresh_token: refreshToken } = await signUp()
  const other = await begin('cached', (await signIn()).access_token)
  const before = [...await Promise.all(paths.map((path) => begin(path, token))), await begin('refresh', refreshToken)]
  const next = (await post('/auth/reauthenticate', { password }, token)).json()
  t.same(before.map(({ reason }) => reason()), Array(4).fill('ACCOUNTS_TOKEN_SUPERSEDED'))

  const after = [
    ...(await Promise.all(paths.map((path) => begin(path, next.access_token)))),
    await begin('refresh', next.refresh_token),
  ]
  t.same([...after, other].map(({ signal }) => signal.aborted), Array(5).fill(false))
  await app.inject({
    method: 'PUT',
    url: '/auth/password',
    headers: bearer(next.access_token),
    payload: { current_password: password, new_password: 'another battery of horses' },
  })
  t.same(after.map(({ reason }) => reason()), Array(4).fill('ACCOUNTS_TOKEN_SUPERSEDED'))
  t.equal(other.reason(), 'ACCOUNTS_TOKEN_REVOKED')
})

t.test('a signal of a refresh token fires at the end of its session, and not of an access token', async (t) => {
  const { app, signUp, post, begin } = await streaming(t)
  const { access_token: access, refresh_token: token } = await signUp()
  const begun = await begin('refresh', token)
  await app.accounts.revoke(access)
  t.notOk(begun.signal.aborted)
  await post('/auth/logout', { refresh_token: token })
  t.equal(begun.reason(), 'ACCOUNTS_TOKEN_REVOKED')
})

t.test('what ends neither the token nor its session fires nothing', async (t) => {
  const { app, signUp, signIn, post, refresh, begin } = await streaming(t)
  const { access_token: token, refresh_token: refreshToken, user } = await signUp()
  const { signal } = await begin('cached', token)
  const other = await signIn()
  await app.accounts.users.setRoles(user.id, ['editor'])
  await app.accounts.users.update(user.id, { username: 'Ada L.' })
  await refresh(refreshToken)
  await app.accounts.revoke(other.access_token)
  await post('/auth/logout', { refresh_token: other.refresh_token })
  await app.accounts.users.disable((await signUp('bob')).user.id)
  t.notOk(signal.aborted)
})

t.test('a signal that is asked for when all is over has fired', async (t) => {
  const { app, signUp, post, sql } = await buildOnFile(t)
  let act: (user: string, token: string) => Promise<unknown>
  for (const consistency of ['cached', 'stateless'] as const) {
    app.get(
      `/late-${consistency}`,
      { preHandler: app.accounts.guard({ consistency }) },
      async ({ user, auth, headers }) => {
        await act(user.id, headers.authorization!.slice(7))
        const { signal } = auth
        if (!signal.aborted) { await Promise.race([once(signal, 'abort'), new Promise((resolve) => setTimeout(resolve, 50))]) }
        return signal.reason?.code ?? 'none'
      }
    )
  }
  const ask = async (path: string, doing: typeof act) => {
    act = doing
    const { access_token: token } = await signUp(`ada${Math.random()}`)
    return (await app.inject({ url: path, headers: bearer(token) })).body
  }
  t.equal(await ask('/late-cached', (_, token) => app.accounts.revoke(token)), 'ACCOUNTS_TOKEN_REVOKED')
  t.equal(await ask('/late-stateless', (_, token) => app.accounts.revoke(token)), 'ACCOUNTS_TOKEN_REVOKED')
  t.equal(
    await ask('/late-cached', (_, token) => post('/auth/reauthenticate', { password }, token)),
    'ACCOUNTS_TOKEN_SUPERSEDED'
  )
  t.equal(await ask('/late-cached', (id) => app.accounts.sessions.revokeAll(id)), 'ACCOUNTS_TOKEN_REVOKED')
  t.equal(await ask('/late-cached', (id) => app.accounts.users.disable(id)), 'ACCOUNTS_TOKEN_REVOKED')
  t.equal(await ask('/late-cached', (id) => app.accounts.users.delete(id)), 'ACCOUNTS_TOKEN_REVOKED')
  t.equal(
    await ask('/late-cached', (id) => app.accounts.users.setRoles(id, ['editor'])),
    'none',
    'the user is asked for again'
  )
  t.equal(await ask('/late-cached', async () => {}), 'none')
  t.equal(await ask('/late-cached', async (id) => {
    await app.accounts.users.setRoles(id, ['editor'])
    await sql.exec('alter table accounts_users rename to gone_users')
  }), 'ACCOUNTS_UNAVAILABLE', 'nor is anybody kept whom nobody can judge')
  await sql.exec('alter table gone_users rename to accounts_users')
})

t.test('a signal that is asked for after the expiry of its token has fired', async (t) => {
  const { app, signUp } = await build(t)
  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  t.teardown(() => mock.timers.reset())
  app.get('/slow', { preHandler: app.authenticate }, async ({ auth }) => {
    mock.timers.tick(900_000)
    return auth.signal.reason.code
  })
  t.equal(
    (await app.inject({ url: '/slow', headers: bearer((await signUp()).access_token) })).body,
    'ACCOUNTS_TOKEN_EXPIRED'
  )
})

t.test('a signal fires at the expiry of its token, however far away, and not before', async (t) => {
  const { signUp, begin } = await streaming(t, {
    access: { expiresIn: '40d' },
    refresh: { expiresIn: '50d' },
    leeway: '30s',
  })
  const { access_token: token } = await signUp()
  const { header, payload } = decode(token)
  const sooner = await begin('cached', mint(header, { ...payload, exp: payload.exp - 1 }))
  const begun = await Promise.all(paths.map((path) => begin(path, token)))
  mock.timers.enable({ apis: ['Date'], now: (payload.exp + 30) * 1000 - 1 })
  t.teardown(() => mock.timers.reset())
  await until(() => sooner.signal.aborted)
  t.same(begun.map(({ signal }) => signal.aborted), [false, false, false])
  mock.timers.tick(1)
  await until(() => begun.every(({ signal }) => signal.aborted))
  t.same([sooner, ...begun].map(({ reason }) => reason()), Array(4).fill('ACCOUNTS_TOKEN_EXPIRED'))
})

t.test('who comes after everybody has gone is looked after too', async (t) => {
  mock.timers.enable({ apis: ['Date', 'setInterval'], now: Date.now() })
  t.teardown(() => mock.timers.reset())
  const { app, signUp, get, begin } = await streaming(t)
  app.get('/short', { preHandler: app.authenticate }, async ({ auth: { signal } }) => `${signal.aborted}`)
  const { access_token: token } = await signUp()
  t.equal((await get('/short', token)).body, 'false')
  mock.timers.tick(1000)
  const { reason } = await begin('cached', token)
  mock.timers.tick(900_000)
  t.equal(reason(), 'ACCOUNTS_TOKEN_EXPIRED')
})

t.test('a signal fires within a look at the log when its session ends in another process', async (t) => {
  const here = await buildOnFile(t)
  const there = await streaming(t, { db: here.db })
  const ends: ((tokens: Awaited<ReturnType<typeof here.signUp>>) => Promise<unknown>)[] = [
    ({ refresh_token: token }) => here.post('/auth/logout', { refresh_token: token }),
    ({ access_token: token }) => here.app.accounts.revoke(token),
    ({ user }) => here.app.accounts.sessions.revokeAll(user.id),
    ({ access_token: token }) => here.post('/auth/reauthenticate', { password }, token),
    ({ user }) => here.app.accounts.users.disable(user.id),
    ({ user }) => here.app.accounts.users.delete(user.id),
  ]
  for (const [index, end] of ends.entries()) {
    const tokens = await here.signUp(`ada${index}`)
    const begun = await Promise.all(paths.map((path) => there.begin(path, tokens.access_token)))
    const stays = await there.begin('cached', (await here.signUp(`bob${index}`)).access_token)
    await here.app.accounts.users.setRoles(tokens.user.id, ['editor'])
    await end(tokens)
    await until(() => begun.every(({ signal }) => signal.aborted))
    t.same(
      new Set(begun.map(({ reason }) => reason())),
      new Set([index === 3 ? 'ACCOUNTS_TOKEN_SUPERSEDED' : 'ACCOUNTS_TOKEN_REVOKED'])
    )
    t.notOk(stays.signal.aborted)
  }
})

t.test('a process that is cut off keeps nobody but whom a stateless guard let in', async (t) => {
  const { signUp, signIn, begin, sql } = await streaming(t)
  const tokens = await signUp()
  const begun = await Promise.all(paths.map((path) => begin(path, tokens.access_token)))
  begun.push(await begin('refresh', (await signIn()).refresh_token))
  await sql.exec('alter table accounts_revoked_tokens rename to gone_tokens')
  letPass(t, 6000)
  await until(() => begun.filter(({ signal }) => signal.aborted).length === 3)
  t.same(
    begun.map(({ reason }) => reason()),
    ['ACCOUNTS_UNAVAILABLE', 'ACCOUNTS_UNAVAILABLE', undefined, 'ACCOUNTS_UNAVAILABLE']
  )
  await sql.exec('alter table gone_tokens rename to accounts_revoked_tokens')
})

t.test('a process that was stalled looks at the log before it gives anybody up', async (t) => {
  const { app, signUp, begin } = await streaming(t)
  const { signal } = await begin('cached', (await signUp()).access_token)
  letPass(t, 3_600_000)
  await until(async () => (await app.accounts.check()).stalenessMs < 5000)
  const { access_token: token, user } = await signUp('bob')
  const other = await begin('cached', token)
  await app.accounts.users.disable(user.id)
  t.same([signal.aborted, other.reason()], [false, 'ACCOUNTS_TOKEN_REVOKED'])
})

t.test('who is gone from a database that was put back from a backup is given up', async (t) => {
  const { app, signUp, signIn, post, begin, sql } = await streaming(t)
  const { access_token: token } = await signUp()
  await post('/auth/logout', { refresh_token: (await signIn()).refresh_token })
  const since = performance.now()
  await until(async () => (await app.accounts.check()).stalenessMs < performance.now() - since)
  const [stays, gone] = [await begin('cached', token), await begin('cached', (await signUp('bob')).access_token)]
  const stateless = await begin('stateless', (await signIn('bob')).access_token)

  await forgetForeignKeys(sql)
  await sql.exec("delete from accounts_users where username = 'bob'; delete from accounts_revoked_tokens")
  await addEntries(sql, 1)
  await until(() => gone.signal.aborted)
  t.equal(gone.reason(), 'ACCOUNTS_TOKEN_REVOKED')
  t.same([stays.signal.aborted, stateless.signal.aborted], [false, false])
})

t.test('signals that are left when the app has closed fire', async (t) => {
  const { app, signUp, begin } = await streaming(t)
  const { access_token: token } = await signUp()
  const begun = await Promise.all(paths.map((path) => begin(path, token)))
  await app.close()
  t.same(begun.map(({ reason }) => reason()), paths.map(() => 'ACCOUNTS_UNAVAILABLE'))
})

t.test('a signal is one, is no part of what is shown, and speaks as the app does', async (t) => {
  const { app, signUp } = await build(t, { messages: { ACCOUNTS_TOKEN_REVOKED: 'Sie sind abgemeldet' }, realm: 'shop' })
  app.get('/signal', { preHandler: app.authenticate }, async ({ auth, headers }) => {
    const { signal } = auth
    await app.accounts.revoke(headers.authorization!.slice(7))
    t.equal(auth.signal, signal)
    t.ok(signal instanceof AbortSignal)
    const members = ['claims', 'header', 'sessionId', 'location', 'fresh', 'acr', 'amr', 'actor', 'instance']
    t.strictSame(Object.keys(auth), members)
    signal.throwIfAborted()
  })
  const answer = await app.inject({ url: '/signal', headers: bearer((await signUp()).access_token) })
  t.match(answer.json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED', message: 'Sie sind abgemeldet' })
  t.match(answer.headers['www-authenticate'], /realm="shop"/)
})

t.test('a guard that is called by hand needs the reply for a signal, and for nothing else', async (t) => {
  const { app, signUp } = await build(t)
  app.get(
    '/with',
    { preHandler: async (request, reply) => app.authenticate(request, reply) },
    async ({ auth }) => auth.signal.aborted
  )
  app.get(
    '/without',
    { preHandler: async (request) => app.authenticate(request) },
    async ({ auth, user }) => `${user.username} ${auth.signal.aborted}`
  )
  app.get('/unasked', { preHandler: async (request) => app.authenticate(request) }, async ({ user }) => user.username)
  await app.register(async (scope) => {
    app.accounts.protect(scope)
    scope.get('/scope', async ({ auth }) => auth.signal.aborted)
  })
  const headers = bearer((await signUp()).access_token)
  const ask = async (url: string) => (await app.inject({ url, headers })).body
  t.same([await ask('/with'), await ask('/scope'), await ask('/unasked')], ['false', 'false', 'ada'])
  t.match(await ask('/without'), /call the guard with the reply too/)
})

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** A handshake of a WebSocket's, and the connection that it leads to. */
async function upgraded (port: number, path: string, headers: Record<string, string>) {
  const request = httpRequest({
    port,
    path,
    headers: {
      ...headers,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    },
  })
  request.end()
  const [response, socket] = await once(request, 'upgrade') as [IncomingMessage, Socket]
  return { response, socket }
}

/** An app on a real port, whose route remembers signals and answers when it is let go. */
async function listening (t: Test, server: object = {}) {
  const app: FastifyInstance = Fastify(server)
  t.teardown(() => app.close())
  await app.register(websocket)
  await app.register(accounts, { db: await emptyDatabase(t), secret, throttle: false, password: cheap })
  const signals: WeakRef<AbortSignal>[] = []
  const isOver: boolean[] = []
  const waiting: (() => void)[] = []
  const remember = (signal: AbortSignal) => {
    const index = signals.push(new WeakRef(signal)) - 1
    signal.addEventListener('abort', () => { isOver[index] = true })
  }
  app.route({
    method: ['GET', 'POST'],
    url: '/wait',
    preHandler: app.authenticate,
    async handler ({ auth }) {
      remember(auth.signal)
      await new Promise<void>((resolve) => waiting.push(resolve))
      return 'over'
    },
  })
  app.get('/socket', { websocket: true, preHandler: app.authenticate }, (socket, { auth }) => {
    remember(auth.signal)
    socket.send('hello')
  })
  await app.listen({ port: 0 })
  const { port } = app.server.address() as AddressInfo
  const { signUp, post } = client(app)
  return {
    app,
    port,
    signUp,
    letGo: () => waiting.splice(0).forEach((resolve) => resolve()),
    /** Waits for so many requests to be there. */
    arrived: (count: number) => until(() => signals.length === count),
    fired: () => isOver.filter(Boolean).length,
    logout: (refreshToken: string) => post('/auth/logout', { refresh_token: refreshToken }),
    /** Waits until nothing holds the signals any more. */
    async collected () {
      await until(() => {
        collectGarbage()
        return signals.every((signal) => signal.deref() === undefined)
      })
    },
  }
}

t.test(
  'a signal lives as long as the response, however early the request has closed, and nothing is left of it',
  async (t) => {
    const { port, signUp, letGo, arrived, fired, logout, collected } = await listening(t)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    t.teardown(() => agent.destroy())
    const ask = async (token: string) => {
      const request = httpRequest({
        port,
        path: '/wait',
        method: 'POST',
        agent,
        headers: { ...bearer(token), 'content-type': 'application/json' },
      })
      const answer = once(request, 'response') as Promise<[IncomingMessage]>
      request.end('{}')
      const [response] = await answer
      await once(response.resume(), 'end')
    }
    const [ada, bob] = [await signUp(), await signUp('bob')]
    for (let count = 1; count <= 20; count++) {
      const asked = ask(ada.access_token)
      await arrived(count)
      letGo()
      await asked
    }
    await logout(ada.refresh_token)
    t.equal(fired(), 0, 'those that were answered')
    await collected()

    const asked = ask(bob.access_token)
    await arrived(21)
    await logout(bob.refresh_token)
    t.equal(fired(), 1, 'the one whose body was read long ago')
    letGo()
    await asked
  }
)

t.test('nothing is left of a signal whose client went away', async (t) => {
  const { port, signUp, letGo, arrived, fired, logout, collected } = await listening(t)
  const ada = await signUp()
  for (let count = 1; count <= 5; count++) {
    const request = httpGet({ port, path: '/wait', headers: bearer(ada.access_token) }).on('error', () => {})
    await arrived(count)
    request.destroy()
  }
  letGo()
  await collected()
  await logout(ada.refresh_token)
  t.equal(fired(), 0)
})

t.test('the signal of a WebSocket lives until the socket closes', async (t) => {
  const { port, signUp, arrived, fired, logout, collected } = await listening(t)
  const [ada, bob] = [await signUp(), await signUp('bob')]
  const closed = await upgraded(port, '/socket', bearer(ada.access_token))
  await arrived(1)
  closed.socket.destroy()
  await collected()
  await logout(ada.refresh_token)
  t.equal(fired(), 0)

  const stays = await upgraded(port, '/socket', bearer(bob.access_token))
  await arrived(2)
  await logout(bob.refresh_token)
  t.equal(fired(), 1)
  stays.socket.destroy()
})

t.test('the signal of a stream of HTTP/2 is the same', async (t) => {
  const app = Fastify({ http2: true })
  t.teardown(() => app.close())
  await app.register(accounts, { db: await emptyDatabase(t), secret, throttle: false, password: cheap })
  const held: { signal: AbortSignal, answer: (text: string) => void, later: () => AbortSignal }[] = []
  app.get('/wait', { preHandler: app.authenticate }, ({ auth }, reply) => {
    held.push({ signal: auth.signal, answer: (text) => reply.send(text), later: () => auth.signal })
  })
  app.get('/late', { preHandler: app.authenticate }, ({ auth }, reply) => {
    held.push({ signal: AbortSignal.abort(), answer: (text) => reply.send(text), later: () => auth.signal })
  })
  await app.listen({ port: 0 })
  const session = connect(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`)
  t.teardown(() => session.close())
  const { signUp, post } = client(app as unknown as FastifyInstance)
  const { access_token: token, refresh_token: refreshToken } = await signUp()
  const ask = async (path: string) => {
    const count = held.length
    const stream = session.request({ ':path': path, ...bearer(token) }).resume()
    await until(() => held.length > count)
    return { stream, ...held[count]! }
  }
  const [answered, late, open] = [await ask('/wait'), await ask('/late'), await ask('/wait')]
  for (const { answer, stream } of [answered, late]) {
    answer('over')
    await once(stream, 'close')
  }
  await post('/auth/logout', { refresh_token: refreshToken })
  t.same([answered.signal.aborted, open.signal.aborted], [false, true])
  t.equal(late.later().aborted, false, 'asked for when the response is over')
  open.answer('over')
})

t.test('a signal that is asked for when the response is over never fires', async (t) => {
  const { app, signUp, post } = await build(t)
  const late: (() => AbortSignal)[] = []
  app.get('/answered', { preHandler: app.authenticate }, async ({ auth }) => { late.push(() => auth.signal) })
  const { access_token: token, refresh_token: refreshToken } = await signUp()
  await app.inject({ url: '/answered', headers: bearer(token) })
  const signal = late[0]!()
  await post('/auth/logout', { refresh_token: refreshToken })
  t.equal(signal.aborted, false)
})
