// A process of its own that sends second steps, many at once, when it is told some, and says what came of them.
import accounts from '../../../lib/index.ts'
import { cheap, secret } from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'

const app = Fastify()
await app.register(accounts, { db: process.argv[2]!, secret, throttle: false, factors: true, password: cheap })
await app.ready()

process.on('disconnect', () => process.exit())
process.on('message', async (bodies: object[]) => {
  const answers = await Promise.all(bodies.map((payload) =>
    app.inject({ method: 'POST', url: '/auth/factors/verify', payload })))
  process.send!(answers.map((answer) => answer.statusCode === 200 ? 'in' : answer.json().code))
})
process.send!('ready')
