import autoload from '@fastify/autoload'
import type { FastifyInstance } from 'fastify'
import { join } from 'node:path'
import accounts from '../../../../../../lib/index.ts'
import { cheap, secret } from '../../../../../support/build.ts'

/** Accounts of one scope alone: below /api, by the name of the folder. */
export default async function (app: FastifyInstance) {
  await app.register(accounts, { db: ':memory:', secret, password: cheap })
  await app.register(autoload, { dir: join(import.meta.dirname, '../../routes') })
}
