import type { Duration } from './durations.ts'
import type { AccountsOptions } from '../options.ts'

/** The environment variable that stands in for an option which is not given. */
export const variables: Record<string, string> = {
  secret: 'JWT_SECRET_KEY',
  db: 'ACCOUNTS_DATABASE_URL',
  'access.expiresIn': 'JWT_ACCESS_TOKEN_EXPIRES',
  'refresh.expiresIn': 'JWT_REFRESH_TOKEN_EXPIRES',
}

/** The options with what the environment says where they say nothing. An empty variable counts as none. */
export function withEnvironment (given: AccountsOptions, env: NodeJS.ProcessEnv): AccountsOptions {
  const { orm, secret = env.JWT_SECRET_KEY || undefined, access, refresh } = given
  const { db = orm === undefined && env.ACCOUNTS_DATABASE_URL ? env.ACCOUNTS_DATABASE_URL : undefined } = given
  return {
    ...given,
    ...secret === undefined ? {} : { secret },
    ...db === undefined ? {} : { db },
    ...lifeOf('access', access, env.JWT_ACCESS_TOKEN_EXPIRES),
    ...lifeOf('refresh', refresh, env.JWT_REFRESH_TOKEN_EXPIRES),
  }
}

/** A group of options with its `expiresIn` from a variable, or nothing to change. */
function lifeOf (name: 'access' | 'refresh', group: object = {}, text: string | undefined) {
  if (!text || typeof group !== 'object' || group === null || (group as { expiresIn?: Duration }).expiresIn !== undefined) return {}
  return { [name]: { ...group, expiresIn: fromText(text) } }
}

/** In the environment everything is text: there, digits alone are seconds. */
function fromText (text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text
}
