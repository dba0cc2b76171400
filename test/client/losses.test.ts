// In a process of its own, for 10 s: its limits of time are short.
// With more rounds in trials.
import t, { type Test } from 'tap'
import { createClient } from '../../lib/client/index.ts'
import { build, password } from '../support/build.ts'
import { createChance, rounds } from '../support/rounds.ts'

const timeoutMs = 900

/**
 * Ada in Node, and a server that does each thing it is asked, but cuts off a fifth of its answers once she is signed
 * in: before they begin, or amid their body.
 */
async function lossy (t: Test) {
  const chance = createChance(t)
  const lost = { refresh: 0, other: 0 }
  let isLossy = false
  const { app } = await build(t, { refresh: { window: '2s' } })
  app.addHook('onSend', async (request, reply, payload) => {
    if (!isLossy || chance.below(5) !== 0) return payload
    lost[request.url === '/auth/refresh' ? 'refresh' : 'other']++
    reply.hijack()
    if (chance.below(2) && typeof payload === 'string') {
      reply.raw.writeHead(reply.statusCode, { 'content-type': 'application/json', 'content-length': payload.length + 1 })
      reply.raw.write(payload.slice(0, -1), () => request.raw.socket.destroy())
    } else {
      request.raw.socket.destroy()
    }
    return payload
  })
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const auth = createClient({ baseUrl: `${origin}/auth`, store: 'memory', timeoutMs })
  await auth.register({ username: 'ada', password })
  isLossy = true
  return { auth, origin, lost, calm: () => { isLossy = false } }
}

t.test('a client that loses a fifth of the answers stays signed in', async (t) => {
  const { auth, origin, lost, calm } = await lossy(t)
  const all = rounds(100, 2000)
  let refreshed = 0
  let unanswered = 0
  while (refreshed < all) {
    await auth.refresh().then(() => refreshed++, () => unanswered++)
    await auth.fetch(`${origin}/strict`).catch(() => unanswered++)
    if (auth.user === null) break
  }
  t.match(auth.user, { username: 'ada' }, `after ${refreshed} refreshes`)
  t.ok(lost.refresh > all / 50 && lost.other > all / 50, `${lost.refresh} refreshes lost, ${lost.other} other answers`)
  t.comment(`${refreshed} refreshes, ${lost.refresh} answers of them lost, ${unanswered} requests failed`)
  calm()
  t.equal((await auth.fetch(`${origin}/strict`)).status, 200)
})
