import fp from 'fastify-plugin'
import { accounts } from './accounts.ts'

export type * from '../types/index.ts'
/** Every error of the plugin. */
export * as errors from './errors.ts'
export { entities } from './entities.ts'
export { User } from './users/entity.ts'
export { legacy } from './features/passwords/legacy/index.ts'

/** The plugin: `await app.register(accounts, options)`. */
export default fp(accounts, { name: 'fastify-jwt-accounts', fastify: '5.x' })
