import { randomUUID } from 'node:crypto'
import Fastify from 'fastify'
import { usersWithTokens } from './tokens.ts'
import { guardedPath, offer } from './offer.ts'

/** No guard at all: what the route itself costs. The same headers come in. */
const app = Fastify()
const id = randomUUID()
app.get(guardedPath, async () => ({ id }))
offer(await app.listen({ host: '127.0.0.1', port: 0 }), usersWithTokens())
