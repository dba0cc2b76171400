import { cheap, secret } from '../../../../support/build.ts'

/** The package itself, as a file to be loaded. */
export { default } from '../../../../../lib/index.ts'
export const autoConfig = { db: ':memory:', secret, password: cheap }
