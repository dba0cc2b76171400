import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AccountsOptions, AccountsServices } from '../../types/index.ts'
import { isPlainObject } from '../checks/plain-object.ts'
import type { Settings } from '../settings.ts'
import type { Values } from './command.ts'
import { Refused, UsageWrong } from './errors.ts'

/** Which accounts a command is about. */
export const targetFlags = {
  db: {
    type: 'string',
    value: 'URL',
    summary: 'the database: an SQLite file, or a postgresql:, mysql: or mariadb: URL',
  },
  name: { type: 'string', value: 'NAME', summary: 'the name of the accounts; by default accounts' },
  config: { type: 'string', value: 'FILE', summary: 'a module whose default export is the options of app.register' },
} as const

type Target = Values<typeof targetFlags>

/** @throws {UsageWrong} for a file that holds no options */
export async function optionsOf ({ db, name, config }: Target): Promise<AccountsOptions> {
  const given = config === undefined ? {} : await load(config)
  return { ...given, ...db !== undefined && { db }, ...name !== undefined && { name } }
}

async function load (file: string): Promise<AccountsOptions> {
  const { default: options } = await import(pathToFileURL(resolve(file)).href).catch((error) => {
    throw new UsageWrong(`${file} cannot be loaded: ${error.message}`)
  })
  if (!isPlainObject(options)) {
    throw new UsageWrong(`${file} must have the options of app.register as its default export`)
  }
  return options
}

/** Checks and fills the options of the accounts. Nothing is signed here, so without a secret any will do. */
export async function settingsOf (given: AccountsOptions): Promise<{ options: AccountsOptions, settings: Settings }> {
  const [{ readSettings }, { default: Fastify }] = await Promise.all([import('./plugin.ts'), import('fastify')])
  const options =
    given.secret === undefined && !process.env.JWT_SECRET_KEY
      // Nor is anything stored, or erased, under a key that nobody has afterwards: seals would not hold.
      ? { ...given, secret: randomBytes(48), events: { ...given.events, store: false } }
      : given
  return { options, settings: readSettings(options, process.env, Fastify().log) }
}

/**
 * Makes sure that a database in a file is there: for a mistyped name a new and empty file would be made.
 * @throws {Refused}
 */
function requireFile ({ db, orm }: Settings): void {
  if (orm || db.includes('://') || existsSync(db)) return
  throw new Refused(
    `There is no file ${db}: give --db, ACCOUNTS_DATABASE_URL or --config, or make it with fastify-jwt-accounts migrate`
  )
}

/**
 * Runs `work` with the services of an app that has these accounts, so that checks, events and revocations are those of
 * any other process, and with their settings. The app is never ready: it sends no mails.
 * @throws {Refused} for tables that are not up to date: to look at them must not change them under an app that runs
 */
export async function withAccounts<Result> (
  target: Target,
  work: (accounts: AccountsServices, settings: Settings) => Promise<Result>,
  more: (options: AccountsOptions) => AccountsOptions = () => ({})
): Promise<Result> {
  const given = await optionsOf(target)
  const { options, settings } = await settingsOf({ ...given, ...more(given) })
  requireFile(settings)
  const [{ accounts, pendingOf }, { default: Fastify }] = await Promise.all([import('./plugin.ts'), import('fastify')])
  if (settings.schema === 'migrate' && (await pendingOf(settings)).length > 0) {
    throw new Refused('The tables are not up to date: run fastify-jwt-accounts migrate, or start the app')
  }

  const app = Fastify()
  try {
    await app.register(accounts, options)
    return await work(app[settings.name as 'accounts'], settings)
  } finally {
    await app.close()
  }
}
