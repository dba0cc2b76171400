import fp from 'fastify-plugin'
import accounts from '../../../../../lib/index.ts'
import { cheap, secret } from '../../../../support/build.ts'

/** As in the guides of Fastify: a plugin of the host's own registers ours, for the whole app. */
export default fp(async (app) => {
  await app.register(accounts, { db: ':memory:', secret, password: cheap })
}, { name: 'accounts' })
