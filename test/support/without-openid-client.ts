// An app in a project without openid-client, or in which that fails in another way, which is said; with providers, or
// with none.
import { registerHooks } from 'node:module'
import { missing } from './missing.ts'

const [, , otherFailure, providersGiven] = process.argv

registerHooks({
  resolve (specifier, context, next) {
    if (specifier !== 'openid-client') return next(specifier, context)
    throw otherFailure ? new Error(otherFailure) : missing(specifier)
  },
})
const [{ default: Fastify }, { default: accounts }, { google }] = await Promise.all([
  import('fastify'),
  import('../../lib/index.ts'),
  import('../../lib/providers.ts'),
])
await Fastify().register(accounts, {
  db: ':memory:',
  secret: 'Zq8vT2kLw9XcR5nYb3HjM7pFs1DgA4uE',
  providers: providersGiven === 'none' ? [] : [google({ clientId: 'shop', clientSecret: 'secret' })],
  providerFlow: { url: 'https://app.example.com' },
})
