// An app in a project that has not installed the database driver.
import { registerHooks } from 'node:module'

registerHooks({
  resolve (specifier, context, next) {
    if (/^@mikro-orm\/(sqlite|postgresql|mariadb)$/.test(specifier)) throw new Error('Cannot find package')
    return next(specifier, context)
  },
})
await import('./boot.ts')
