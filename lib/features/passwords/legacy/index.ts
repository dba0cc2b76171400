import { bcrypt } from './bcrypt.ts'
import { pbkdf2 } from './pbkdf2.ts'
import { scrypt } from './scrypt.ts'

/**
 * Verifiers for `password.legacy`. Each is given the cost of the dearest hash there is, and knows none that is dearer.
 */
export const legacy = {
  /** `$2a$`, `$2b$`, `$2y$`, through the package @node-rs/bcrypt. */
  bcrypt,
  /** Those of Werkzeug, passlib and better-auth. */
  scrypt,
  /** Those of Werkzeug, Django and passlib. */
  pbkdf2,
}
