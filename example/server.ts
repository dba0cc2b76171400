import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import Fastify from 'fastify'
import accounts from '../lib/index.ts'

const app = Fastify({ logger: { level: 'warn' } })

await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'Accounts', version: '1.0.0' } } })
await app.register(swaggerUi, { routePrefix: '/docs' })
await app.register(accounts)

app.get('/secret', { preHandler: app.authenticate }, async ({ user }) => ({ message: `Hello ${user.username}` }))

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => app.close())
const { PORT = '3000' } = process.env
await app.listen({ port: Number(PORT) })

const { port } = app.server.address() as AddressInfo
const tour = await readFile(new URL('tour.sh', import.meta.url), 'utf8')
console.log(`
http://localhost:${port}/docs has the API reference. Take the tour in another terminal:

${tour.replace('localhost:3000', `localhost:${port}`)}`)
