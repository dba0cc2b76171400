import Fastify from 'fastify'
import accounts from '../../lib/index.ts'
import { offer, secret, tokens, variant as db } from './offer.ts'

/**
 * `POST /auth/refresh` on a database, where every refresh moves the session on. Its users are refresh tokens. It can
 * also call the route itself, without HTTP: one call after the other, or with a nap before each.
 */
const app = Fastify()
await app.register(accounts, { db, secret, refresh: { window: 0 }, prune: { interval: 0 } })

const users = []
for (let index = 0; index < tokens; index++) {
  const { refresh_token: token } = await app.accounts.issueTokens(
    await app.accounts.users.create({ username: `user ${index}` })
  )
  users.push({ token })
}
const calls = 500
const clock = new Int32Array(new SharedArrayBuffer(4))
let [{ token }] = users as [{ token: string }]

/** The CPU of a call in µs, naps included. */
async function call (napMs: number): Promise<number> {
  const before = process.cpuUsage()
  for (let left = calls; left > 0; left--) {
    // The thread stands still, as it does while a file is written to the disk.
    if (napMs > 0) Atomics.wait(clock, 0, 0, napMs)
    token = (await app.inject({ method: 'POST', url: '/auth/refresh', payload: { refresh_token: token } })).json()
      .refresh_token
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}

offer(await app.listen({ host: '127.0.0.1', port: 0 }), users, { calls: () => call(0), naps: () => call(0.1) })
