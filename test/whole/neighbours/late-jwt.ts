import jwt from '@fastify/jwt'
import accounts from '../../../lib/index.ts'
import { cheap, secret } from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'

/** An app whose own @fastify/jwt comes after the accounts. */
const app = Fastify()
await app.register(accounts, { db: ':memory:', secret, password: cheap })
await app.register(jwt, { secret: 'r7Kp2WvXq9LmT4cYz8NbH3sDf6JgA1eU' })
await app.ready()
console.log('serving')
await app.close()
