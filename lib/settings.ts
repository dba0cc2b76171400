import { randomBytes } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import type { AccountsOptions } from '../types/options.ts'
import { copied, keptIn } from './checks/copied.ts'
import { withEnvironment } from './checks/environment.ts'
import { faultsIn, filled, rivalsIn } from './checks/faults.ts'
import { frozenData } from './checks/frozen.ts'
import { sentence } from './checks/sentences.ts'
import { issuingAmong } from './features/routes.ts'
import { OptionsInvalid } from './http/errors.ts'
import { faultsOf, OptionsSchema, routes, problemsOf, read, type Filled, type Settings } from './options.ts'
import { canSign, type Key } from './tokens/key.ts'
import { keyProblems } from './tokens/options.ts'
import { readKey } from './tokens/read-key.ts'

export type { Settings } from './options.ts'

/**
 * Fills the options from the environment and the defaults. `scope` is the path of the app's own that the routes are
 * below, for the paths of cookies.
 * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID`, naming everything that is wrong at once
 */
export function readSettings (
  given: AccountsOptions, env: NodeJS.ProcessEnv, log: FastifyBaseLogger, scope = ''
): Settings {
  const plain = copied(OptionsSchema, withEnvironment(OptionsSchema, given, env))
  const faults = faultsIn(OptionsSchema, plain)
  const options = filled(OptionsSchema, plain) as Filled
  const { secret = randomBytes(64), algorithm } = options
  const keys = [secret].flat().map((key, index) => readKey(key, index === 0 ? algorithm : undefined))
  const problems = [
    ...faults.length > 0 ? faults.map(sentence) : problemsOf(options, keys as Key[], scope, env),
    ...faultsOf(options, env),
    ...rivalsIn(OptionsSchema, given),
    ...keyProblems(keys, options.secret, env),
  ]
  if (problems.length > 0) throw new OptionsInvalid(problems.join('; '))

  const settings = frozenData(read(options, keys as Key[], scope, env), keptIn(OptionsSchema, plain))
  if (options.secret === undefined) {
    log.warn('fastify-jwt-accounts has no secret: a random one is used until this process ends, and then everybody ' +
      'is logged out. Set JWT_SECRET_KEY.')
  }
  if (!canSign(settings.keys)) {
    log.info('fastify-jwt-accounts has public keys only: tokens are verified and none issued, so there is no ' +
      issuingAmong(routes).join(', '))
  }
  return settings
}
