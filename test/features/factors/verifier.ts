// A process of its own that sends requests to its app, many at once, when it is told some, and says what came of them.
import accounts from '../../../lib/index.ts'
import { cheap, secret } from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'
import type { Sent } from './race.ts'

const [db, options] = process.argv.slice(2)
const app = Fastify()
await app.register(accounts, { db: db!, secret, throttle: false, password: cheap, ...JSON.parse(options!) })
await app.ready()

process.on('disconnect', () => process.exit())
process.on('message', async (requests: Sent[]) => {
  const answers = await Promise.all(requests.map(({ method = 'POST', url, token, payload }) => app.inject({
    method,
    url: `/auth${url}`,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...payload && { payload },
  })))
  process.send!(answers.map((answer) => answer.statusCode < 300 ? 'in' : answer.json().code))
})
process.send!('ready')
