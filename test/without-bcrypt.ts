// An app in a project that has not installed @node-rs/bcrypt.
import { registerHooks } from 'node:module'

registerHooks({
  resolve (specifier, context, next) {
    if (specifier === '@node-rs/bcrypt') throw new Error('Cannot find package')
    return next(specifier, context)
  },
})
const [{ default: Fastify }, { default: accounts, legacy }] = await Promise.all([import('fastify'), import('../lib/index.ts')])
await Fastify().register(accounts, { db: ':memory:', secret: 'Zq8vT2kLw9XcR5nYb3HjM7pFs1DgA4uE', password: { legacy: [legacy.bcrypt({ cost: 4 })] } })
