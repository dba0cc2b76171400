import { randomBytes } from 'node:crypto'
import { Ajv } from 'ajv'
import type { FastifyBaseLogger } from 'fastify'
import { inSeconds, isDuration } from './durations.ts'
import { OptionsInvalid } from './errors.ts'
import { OptionsSchema, type AccountsOptions, type FilledOptions } from './options.ts'
import { contradictions, secretProblems, sentence, type GivenOptions } from './problems.ts'
import { pathOf, type RouteName } from './route-path.ts'

/** The options, checked and filled, with every duration in seconds. */
export interface Settings extends Omit<FilledOptions, 'access' | 'refresh' | 'routes' | 'throttle'> {
  secret: Buffer
  /** Where each route is below the prefix. What is off is not there. */
  routes: Partial<Record<RouteName, string>>
  access: { expiresInSeconds: number }
  refresh: {
    expiresInSeconds: number
    maxAgeSeconds: number
    windowSeconds: number
    replay: 'until-confirmed' | 'until-superseded'
  }
}

/**
 * Fills the options from the environment and the defaults.
 * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID`, naming everything that is wrong at once
 */
export function readSettings (given: AccountsOptions, env: NodeJS.ProcessEnv, log: FastifyBaseLogger): Settings {
  const { secret = env.JWT_SECRET_KEY || undefined, ...rest } = given
  const options = copy(rest) as GivenOptions
  const check = checkerOf(env)
  const problems = [
    ...check(options) ? [] : check.errors!.map(sentence),
    ...contradictions(options),
    ...secretProblems(secret, env),
  ]
  if (problems.length > 0) throw new OptionsInvalid(problems.join('; '))

  if (secret === undefined) {
    log.warn('fastify-jwt-accounts has no secret: a random one signs until this process ends, which logs everybody out. Set JWT_SECRET_KEY.')
  }
  return settingsOf(options as FilledOptions, secret === undefined ? randomBytes(64) : Buffer.from(secret))
}

function checkerOf (env: NodeJS.ProcessEnv) {
  const ajv = new Ajv({ allErrors: true, useDefaults: true, verbose: true, allowUnionTypes: true })
  ajv.addKeyword({ keyword: 'duration', validate: ({ zero }: { zero?: boolean }, value: unknown) => isDuration(value, zero) })
  ajv.addKeyword({ keyword: 'file', type: 'string', validate: (_: true, value: string) => !/^[a-z][a-z0-9+]*:\/\/|\0/i.test(value) })
  return ajv.compile(OptionsSchema(env))
}

/**
 * A deep copy of plain objects, so that filling in defaults never writes into what the caller holds. Other objects, a
 * Map or a Date, are no groups of options: as null they are refused.
 */
function copy (value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  if (![Object.prototype, null].includes(Object.getPrototypeOf(value))) return null
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)]))
}

function settingsOf ({ access, refresh, routes, throttle: _, ...rest }: FilledOptions, secret: Buffer): Settings {
  const paths = Object.entries(routes).map(([name, given]) => [name, pathOf(name as RouteName, given)])

  return {
    ...rest,
    secret,
    routes: Object.fromEntries(paths),
    access: { expiresInSeconds: inSeconds(access.expiresIn) },
    refresh: {
      expiresInSeconds: inSeconds(refresh.expiresIn),
      maxAgeSeconds: inSeconds(refresh.maxAge),
      windowSeconds: inSeconds(refresh.window),
      replay: refresh.replay,
    },
  }
}
