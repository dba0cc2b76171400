import Database from 'better-sqlite3'
import Fastify from 'fastify'
import pg from 'pg'
import accounts from '../../lib/index.ts'
import { offer, secret, tokens, variant as db } from './offer.ts'

/**
 * The bare statements of refreshes. They are written down as the plugin runs them, one chain of refreshes for each
 * session; then the rows are put back, and only the driver runs them, with each text prepared once.
 */
interface Statement { text: string, values: unknown[] }

/** So many refreshes of each session, one after the other. */
const length = 25

const app = Fastify()
await app.register(accounts, { db, secret, refresh: { window: 0 }, prune: { interval: 0 } })
// What the start asks is of no refresh.
await app.ready()
let written: Statement[] | undefined
app.accounts.orm.config.set('onQuery', (text: string, values: readonly unknown[]) => {
  // The log of revocations is read once a second, whoever refreshes.
  if (!text.includes('revoked_tokens')) written?.push({ text, values: [...values] })
  return text
})

const driver = db.includes('://') ? openPostgresql() : openSqlite()
const chains: Statement[][] = []
for (let index = 0; index < tokens; index++) {
  const { refresh_token: first } = await app.accounts.issueTokens(
    await app.accounts.users.create({ username: `user ${index}` })
  )
  written = []
  for (let token = first, left = length; left > 0; left--) {
    const answer = await app.inject({ method: 'POST', url: '/auth/refresh', payload: { refresh_token: token } })
    token = answer.json().refresh_token
  }
  chains.push(written)
  written = undefined
}
await app.close()
const restore = { text: 'update accounts_sessions set gen = 0, prev_gen = null, confirmed_gen = 0', values: [] }

offer('', [], {
  restore: () => driver.run(restore),
  async run () {
    const changed = await Promise.all(chains.map(async (chain) => {
      let rows = 0
      for (const statement of chain) rows += await driver.run(statement)
      return rows
    }))
    // A statement that found nothing would have cost too little.
    if (changed.some((rows) => rows !== chains[0]!.length)) {
      throw new Error(`The statements found ${changed} rows of ${chains[0]!.length}`)
    }
    return { refreshes: length * chains.length, statements: chains[0]!.length / length }
  },
})

function openSqlite () {
  const database = new Database(db)
  database.pragma('synchronous = full')
  const prepared = new Map<string, Database.Statement>()
  return {
    async run ({ text, values }: Statement): Promise<number> {
      const statement = prepared.get(text) ?? database.prepare(text)
      prepared.set(text, statement)
      const given = values.map((value) => value instanceof Date ? value.getTime() : value)
      return statement.reader ? statement.all(given).length : statement.run(given).changes
    },
  }
}

function openPostgresql () {
  const pool = new pg.Pool({ connectionString: db, max: 10 })
  const names = new Map<string, { name: string, text: string }>()
  return {
    async run ({ text, values }: Statement): Promise<number> {
      let number = 0
      const named = names.get(text) ?? { name: `s${names.size}`, text: text.replaceAll('?', () => `$${++number}`) }
      names.set(text, named)
      return (await pool.query({ ...named, values })).rowCount!
    },
  }
}
