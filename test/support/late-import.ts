// An app that was made before the plugin was imported: what is left open before that cannot be seen, the rest can.
import { Fastify } from './fastify.ts'

const app = Fastify()
const { default: accounts } = await import('../../lib/index.ts')
const { cheap, secret } = await import('./build.ts')
await app.register(accounts, { db: ':memory:', secret, password: cheap })
app.get('/guarded', { preHandler: app.authenticate }, async () => 'secret')

try {
  app.get('/open', { preHandler: undefined } as object, async () => 'secret')
} catch (error) {
  console.log((await app.inject('/guarded')).statusCode, (error as { code: string }).code)
}
await app.close()
