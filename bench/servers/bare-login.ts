import { hash, verify } from 'argon2'
import Fastify from 'fastify'
import { createQueue } from '../../lib/features/passwords/queue.ts'
import { offer, tokens as waiting, variant as concurrency } from './offer.ts'

/** A route that asks argon2, so many at once, and no accounts. */
const stored = await hash('correct horse battery staple', { memoryCost: 19456, timeCost: 2, parallelism: 1 })
const queue = createQueue({}, { concurrency: Number(concurrency), waiting } as never)
const app = Fastify()
app.post<{ Body: { password: string } }>('/auth/login', async ({ body }, reply) => {
  const isRight = await queue.run(() => verify(stored, body.password))
  return reply.code(isRight ? 200 : 401).send({})
})
offer(await app.listen({ host: '127.0.0.1', port: 0 }), [])
