// A process of its own: an app with accounts on a database that others use too. It ends with the process that began it.
import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import accounts from '../../../lib/index.ts'
import { bearer, cheap, decode, mint, secret } from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'

const app = Fastify()
process.on('disconnect', () => process.exit())
await app.register(accounts, { secret, password: cheap, throttle: false, ...JSON.parse(process.env.OPTIONS!) })

app.get('/guarded', { preHandler: app.authenticate }, async ({ user }) => user)
app.get('/strict', { preHandler: app.accounts.guard({ consistency: 'strict' }) }, async ({ user }) => user)
app.get('/counters', async () => app.accounts.counters)
app.post('/disable/:id', ({ params }) => app.accounts.users.disable((params as { id: string }).id))
app.post('/delete/:id', async ({ params }) => { await app.accounts.users.delete((params as { id: string }).id) })
/**
 * Shows a guard that asks no database as many tokens as are remembered at most: what memory grows by from here on is
 * something else.
 */
app.post('/fill', async () => {
  const { access_token: token } = await app.accounts.issueTokens(
    await app.accounts.users.create({ username: 'many tokens' })
  )
  const { header, payload } = decode(token)
  for (let left = 20_000; left > 0; left--) {
    const another = mint(header, { ...payload, jti: randomBytes(16).toString('base64url') })
    await app.inject({ url: '/guarded', headers: bearer(another) })
  }
  return {}
})
/** What is held once what can be forgotten is forgotten. */
app.get('/memory', async () => {
  setFlagsFromString('--expose_gc')
  runInNewContext('gc')()
  return process.memoryUsage()
})
/** Stands still, as long as a file is there that it makes first. */
app.post('/block', async ({ body }) => {
  const { file } = body as { file: string }
  writeFileSync(file, '')
  while (existsSync(file));
  return {}
})

await app.listen({ host: '127.0.0.1', port: 0 })
process.send!({ port: (app.server.address() as AddressInfo).port })
