import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import helmet from '@fastify/helmet'
import files from '@fastify/static'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import Fastify from 'fastify'
import accounts from '../lib/index.ts'
import { serveThief } from './thief.ts'

/** Instead of 30, so that nobody waits half a minute to see a theft found. */
const windowSeconds = 2

const { PORT = '3000' } = process.env
/** Where the page is: browsers show passkeys to no other. */
const origin = `http://localhost:${PORT}`

// A machine that has much else to do may take longer to start than the ten seconds that Fastify waits.
const app = Fastify({ logger: { level: 'warn' }, pluginTimeout: 0 })

await app.register(helmet)
await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'Accounts', version: '1.0.0' } } })
await app.register(swaggerUi, { routePrefix: '/docs' })
await app.register(accounts, {
  transport: 'both',
  refresh: { window: windowSeconds },
  // Mails are kept at /auth/outbox. None is sent to who registers, so that that of a forgotten password comes at once:
  // an address gets one in a minute.
  mail: { appName: 'Example', links: { invite: '/invitation' } },
  email: { verification: 'none' },
  routes: { invitations: true },
  factors: { issuer: 'Example' },
  passkeys: { origins: [origin], rpName: 'Example' },
})
await app.register(files, { root: join(import.meta.dirname, 'public'), wildcard: false })

// The page draws QR codes by itself: what is in them is a secret, and no matter of any other server.
app.get('/uqr.mjs', { schema: { hide: true } }, (_, reply) =>
  reply.sendFile('index.mjs', fileURLToPath(new URL('.', import.meta.resolve('uqr')))))

// A gateway of mails may have made `%23` of the `#` of a link, and no log gets that.
app.get('/invitation*', { logLevel: 'silent', schema: { hide: true } }, (_, reply) =>
  reply.sendFile('invitation.html'))

// So that there is somebody to invite others. A real app makes its first admin from code or from the command line.
app.post('/become-admin', { preHandler: app.authenticate, schema: { hide: true } }, async ({ user }, reply) => {
  await app.accounts.users.setRoles(user.id, [...user.roles, 'admin'])
  reply.code(204)
})

app.get('/secret', { preHandler: app.authenticate }, async ({ user }) => ({ message: `Hello ${user.username}` }))
serveThief(app, windowSeconds)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => app.close())
await app.listen({ port: Number(PORT) })

const { port } = app.server.address() as AddressInfo
const tour = await readFile(new URL('tour.sh', import.meta.url), 'utf8')
console.log(`
http://localhost:${port} is the example, and http://localhost:${port}/docs has the API reference. Or take the tour in another terminal:

${tour.replace('localhost:3000', `localhost:${port}`)}`)
