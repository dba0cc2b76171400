import type { ErrorObject } from 'ajv'
import { inSeconds, mostSeconds } from './durations.ts'
import type { FilledOptions } from './options.ts'
import { pathOf, type RouteName } from './route-path.ts'
import { weakness } from './tokens/secret.ts'

/** What may stand where options belong, before the schema has looked. */
export type GivenOptions = { [K in keyof FilledOptions]?: FilledOptions[K] }

/** The routes with one method, which cannot share a path. */
const postNames: RouteName[] = ['register', 'login', 'refresh', 'logout']

/** The environment variable that stands in for an option which is not given. */
const variables: Record<string, string> = {
  secret: 'JWT_SECRET_KEY',
  db: 'ACCOUNTS_DATABASE_URL',
  'access.expiresIn': 'JWT_ACCESS_TOKEN_EXPIRES',
  'refresh.expiresIn': 'JWT_REFRESH_TOKEN_EXPIRES',
}

/** What no single option can know. Comparisons with what is not a duration are false, so nothing is said twice. */
export function contradictions ({ access, refresh, password, routes }: GivenOptions): string[] {
  const [short, idle, absolute] = [access?.expiresIn, refresh?.expiresIn, refresh?.maxAge].map(inSeconds) as [number, number, number]
  const posts = routes ? postNames.map((name) => [name, pathOf(name, routes[name])] as const).filter(([, path]) => path) : []
  const doubled = posts.find(([, path], index) => posts.findIndex(([, taken]) => taken === path) < index)

  return [
    ...short > idle ? [`${named('access.expiresIn')} must not be longer than ${named('refresh.expiresIn')}`] : [],
    ...idle > absolute ? [`${named('refresh.expiresIn')} must not be longer than refresh.maxAge`] : [],
    ...password && password.minLength > password.maxLength ? ['password.minLength must not be more than password.maxLength'] : [],
    ...password?.argon2 && password.argon2.memoryCost < 8 * password.argon2.parallelism
      ? ['password.argon2.memoryCost must be at least 8 times password.argon2.parallelism']
      : [],
    ...doubled ? [`routes.${doubled[0]} has the path of another route`] : [],
  ]
}

export function secretProblems (secret: unknown, env: NodeJS.ProcessEnv): string[] {
  if (secret === undefined) return env.NODE_ENV === 'production' ? [`${named('secret')} is required in production`] : []
  const weak = weakness(secret)
  return weak ? [`${named('secret')} ${weak}`] : []
}

/** What the schema has to say of an option, in words that name it. */
export function sentence ({ instancePath, keyword, params, message, parentSchema }: ErrorObject): string {
  const path = instancePath.slice(1).replaceAll('/', '.')
  const name = named(path)

  switch (keyword) {
    case 'additionalProperties': return `${path ? `${path}.` : ''}${params.additionalProperty} is not an option`
    case 'duration': return `${name} must be ${parentSchema!.duration.zero ? '0, ' : ''}a duration such as '15m' or whole seconds from 1 to ${mostSeconds}`
    case 'file': return `${name} must be a file for SQLite or ':memory:'`
    case 'pattern': return `${name} must be a path such as '/${path === 'prefix' ? 'auth' : path.replace('routes.', '')}'`
    case 'enum': return `${name} must be one of ${params.allowedValues.join(', ')}`
    case 'const': return `${name} must be ${params.allowedValue}`
    default: return `${name} ${message}`
  }
}

/** The option, with the variable that may have brought its value. */
function named (path: string): string {
  const variable = variables[path]
  return variable ? `${path} (or ${variable})` : path
}
