import { existsSync, statSync } from 'node:fs'
import type { Opened } from '../database/open.ts'
import { requireTables } from '../database/tables.ts'
import type { Settings } from '../settings.ts'
import type { Finding } from './finding.ts'
import { factorFindings } from './factor-findings.ts'
import { waitingFindings } from './mail-findings.ts'
import { look, pendingOf } from './pending.ts'

/** A smaller difference of two clocks does no harm. */
const mostSkewMs = 2000

/** Looks into the database, if there is one yet. */
export async function findingsIn (settings: Settings): Promise<Finding[]> {
  const { db, orm, schema } = settings
  if (!orm && db === ':memory:') return []
  if (!orm && !db.includes('://') && !existsSync(db)) {
    return [
      {
        level: 'remark',
        finding: `There is no file ${db} yet.`,
        remedy: 'The app creates it when it starts, or run `fastify-jwt-accounts migrate`.',
      },
    ]
  }

  try {
    const ofFile = orm ? [] : fileFindings(db)
    const ofClock = await look(settings, clockFindings)
    const ofTables = schema === 'migrate' ? await pendingFindings(settings) : await look(settings, tableFindings)
    const ofRows = ofTables.length === 0 ? await look(settings, (opened) => rowFindings(opened, settings)) : []
    return [...ofFile, ...ofClock, ...ofTables, ...ofRows]
  } catch (error) {
    return [
      {
        level: 'error',
        finding: `${(error as Error).message.replace('fastify-jwt-accounts cannot start: ', '')}.`,
        remedy:
          'Check that the server runs and allows this user to access this database; docs/databases.md in the ' +
          'package says what else is needed.',
      },
    ]
  }
}

async function rowFindings (opened: Opened, settings: Settings): Promise<Finding[]> {
  return [...await waitingFindings(opened), ...await factorFindings(opened, settings)]
}

/** What is wrong with the mode of an SQLite file. Windows has none, and reports that everybody may read. */
function fileFindings (db: string): Finding[] {
  if (!existsSync(db) || process.platform === 'win32' || (statSync(db).mode & 0o004) === 0) return []
  return [{
    level: 'warning',
    finding: `Every user of this machine may read ${db}.`,
    remedy: `Take that away: chmod o-rwx ${db}*`,
  }]
}

async function clockFindings ({ dialect, connected }: Opened): Promise<Finding[]> {
  const before = Date.now()
  const [{ now }] = await connected.em.getConnection().execute(dialect.clock)
  const after = Date.now()
  const skewMs = Math.round(Number(now) - (before + after) / 2)
  if (Math.abs(skewMs) <= mostSkewMs + (after - before) / 2) return []
  const seconds = Math.abs(skewMs / 1000).toFixed(1)
  return [
    {
      level: 'warning',
      finding: `The clock of the database is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} this one.`,
      remedy: 'Keep the clocks of all machines in sync (NTP).',
    },
  ]
}

async function pendingFindings (settings: Settings): Promise<Finding[]> {
  const pending = await pendingOf(settings)
  if (pending.length === 0) return []
  return [{
    level: 'warning',
    finding: `The tables are not up to date: ${pending.join(', ')} did not run.`,
    remedy: 'The app does that when it starts, or run `fastify-jwt-accounts migrate`.',
  }]
}

/** With the schema 'none' somebody else makes the tables, so only the columns can be looked at. */
function tableFindings ({ orm }: Opened): Promise<Finding[]> {
  return requireTables(orm).then(() => [], ({ message }: Error) => [{
    level: 'error',
    finding: `${message}. With the schema 'none' the app makes no tables.`,
    remedy: 'Run what `fastify-jwt-accounts sql` prints, or your own migrations.',
  }])
}
