// An app in a project without @simplewebauthn/server, or in which that fails in another way, which is said.
import { registerHooks } from 'node:module'
import { missing } from './missing.ts'

const [, , otherFailure] = process.argv

registerHooks({
  resolve (specifier, context, next) {
    if (specifier !== '@simplewebauthn/server') return next(specifier, context)
    throw otherFailure ? new Error(otherFailure) : missing(specifier)
  },
})
const [{ default: Fastify }, { default: accounts }] = await Promise.all([
  import('fastify'),
  import('../../lib/index.ts'),
])
await Fastify().register(accounts, {
  db: ':memory:',
  secret: 'Zq8vT2kLw9XcR5nYb3HjM7pFs1DgA4uE',
  passkeys: { origins: ['https://app.example.com'] },
})
