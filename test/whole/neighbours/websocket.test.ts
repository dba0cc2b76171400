import websocket from '@fastify/websocket'
import t from 'tap'
import { cookieHeader, setBy } from '../../support/browser.ts'
import { bearer, client, password } from '../../support/build.ts'
import { addAccounts, open } from './tour.ts'

t.test('@fastify/websocket: a guard in any hook, and a protected scope, stand before the handshake', async (t) => {
  const app = open(t)
  await app.register(websocket)
  await addAccounts(app, { transport: 'both' })
  for (const hook of ['onRequest', 'preValidation', 'preHandler']) {
    app.get(`/${hook}`, { websocket: true, [hook]: app.authenticate }, (socket, { user }) => {
      socket.on('message', () => socket.send(`hello ${user.username}`))
    })
  }
  await app.register(async (scope) => {
    app.accounts.protect(scope)
    scope.get('/scope', { websocket: true }, (socket, { user }) => {
      socket.on('message', () => socket.send(`hello ${user.username}`))
    })
  })
  const { post, signUp } = client(app)
  const { access_token: token, refresh_token: refresh } = await signUp()
  const cookie = cookieHeader(setBy(await post('/auth/login', { username: 'ada', password, transport: 'cookie' })))

  const ours = { host: 'app.example.com', origin: 'https://app.example.com' }

  /** What the other side says, or the status with which it declines. */
  async function greet (path: string, headers: Record<string, string>): Promise<string> {
    const socket = await app.injectWS(path, { headers }).catch(({ message }: Error) => message)
    if (typeof socket === 'string') return /\d{3}/.exec(socket)![0]
    const answer = new Promise<string>((resolve) => {
      socket.once('message', (data: unknown) => resolve(String(data)))
    })
    socket.send('hello')
    return answer.finally(() => socket.terminate())
  }
  for (const path of ['/onRequest', '/preValidation', '/preHandler', '/scope']) {
    for (const headers of [bearer(token), { cookie, ...ours }]) t.equal(await greet(path, headers), 'hello ada', path)
    for (const headers of [{}, bearer('bad'), bearer(refresh)]) t.equal(await greet(path, headers), '401', path)
    for (const headers of [{}, { host: 'app.example.com', origin: 'https://evil.example' }]) { t.equal(await greet(path, { cookie, ...headers }), '403', path) }
  }
  await post('/auth/logout', undefined, token)
  t.equal(await greet('/scope', bearer(token)), '401', 'nor does it open once the session is over')
})
