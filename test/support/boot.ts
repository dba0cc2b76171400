// A process of its own that boots an app on the given file, says so, and ends.
import accounts from '../../lib/index.ts'
import { cheap, secret } from './build.ts'
import { Fastify } from './fastify.ts'

const app = Fastify()
await app.register(accounts, { db: process.argv[2]!, secret, password: cheap })
const answer = await app.inject({
  method: 'POST',
  url: '/auth/register',
  payload: { username: `user${process.pid}`, password: 'correct horse battery staple' },
})
console.log(answer.statusCode)
await app.close()
