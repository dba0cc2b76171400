// An app in a project that has not installed the database driver, or in which that fails in another way, which is said.
import { registerHooks } from 'node:module'
import { missing } from './missing.ts'

const [, , , otherFailure] = process.argv

registerHooks({
  resolve (specifier, context, next) {
    if (!/^@mikro-orm\/(sqlite|postgresql|mariadb)$/.test(specifier)) return next(specifier, context)
    throw otherFailure ? new Error(otherFailure) : missing(specifier)
  },
})
await import('./boot.ts')
