import type { EntityManager } from '@mikro-orm/core'
import type { FastifyBaseLogger } from 'fastify'
import { v7 as uuid } from 'uuid'
import type { Database } from '../database/database.ts'
import { selectFrom } from '../database/statement.ts'
import { createHold, Revision, rows } from './revision.ts'
import { RevokedToken } from './revoked-token.ts'
import type { Events, Happening } from '../events/events.ts'
import type { SessionTelemetry } from './events.ts'
import type { SessionSettings } from './options.ts'
import { startPoll, type Poll } from './poll.ts'
import { keptForSeconds, type Ending } from './revocations.ts'

/**
 * Adds an entry to the log, in the transaction of what it is about. For a user `epoch` is the epoch, for a session that
 * goes on its floor.
 */
export type Write = (kind: RevokedToken['kind'], subject: string, epoch?: number) => Promise<void>

/** Notes what has happened, in the same transaction. It is published once that is committed. */
export type Note = (happening: Happening) => Promise<void>

export interface RevocationLog extends Pick<Poll, 'isFresh' | 'stalenessMs' | 'catchUp' | 'close'> {
  /**
   * Runs `work` in one short transaction, which writes first, as InnoDB and SQLite need it. What it adds to the log
   * holds in this process before the promise is fulfilled, and in others when they read it. In a transaction of the
   * host's, that of `em`, it holds once that is committed.
   */
  record: <Result>(work: Work<Result>, em?: EntityManager) => Promise<Result>
}

type Work<Result> = (tx: EntityManager, write: Write, note: Note) => Promise<Result>

export interface LogParts {
  database: Database
  telemetry: SessionTelemetry
  events: Events
  apply: (ending: Ending) => void
  /**
   * Called when the log has lost entries that were known: a backup was put back, or a replica that lagged took over.
   */
  reset: () => void
  /** Writes what was lost again. If it throws, it is called again later. */
  restore: () => Promise<void>
}

/** What a transaction has written, to be applied and published once it is committed. */
interface Recorded {
  endings: RevokedToken[]
  happenings: Happening[]
}

const pageSize = 5000

const unsent = 'A message to other processes was not sent: they look by themselves'

/** Opens the log: reads all of it, and from then on what is new in it. */
export async function openRevocationLog (
  { database, telemetry, events, apply, reset, restore }: LogParts, settings: SessionSettings, log: FastifyBaseLogger
): Promise<RevocationLog> {
  const { name, revocation } = settings
  const keptForMs = keptForSeconds(settings) * 1000
  const channel = `${name}_revocations`
  const hold = createHold(database, rows.log)
  const current = database.statement(({ query }) => query(Revision).select('revision').where({ id: rows.log }))
  const insert = database.statement(({ query, all }) => query(RevokedToken).insert(all(RevokedToken)))
  /** Entries of this process that it has not read yet. */
  const own = new Set<string>()
  /** The newest entry that is known. */
  let last: RevokedToken | undefined
  let isReadWhole = false
  let hasLost = false
  let restoring: Promise<void> | undefined

  async function read (): Promise<void> {
    const committed = [...own]
    const [newest] = await database.run((em) => entries(em).orderBy({ revision: 'desc' }).limit(1).execute('all'))
    if (newest?.id !== last?.id) await readNews()
    if (committed.some((id) => own.has(id))) await readAnew()
    isReadWhole = true
    if (hasLost && !restoring) restoreLost()
  }

  /**
   * Reads on from the last entry that is known, including it: if another one is in its place, the log has lost entries.
   */
  async function readNews (): Promise<void> {
    // Also entries that are old by their times: this clock may be wrong, or the machine has slept.
    const where = { revision: { $gte: last?.revision ?? 0 } }
    const page = await database.run((em) =>
      entries(em).where(where).orderBy({ revision: 'asc' }).limit(pageSize).execute('all'))
    if (last && page[0]?.id !== last.id) return readAnew()
    const news = page.filter(({ id }) => id !== last?.id)
    news.forEach(apply)
    publishNews(news.filter(({ id }) => !own.delete(id)))
    last = page.at(-1)
    if (page.length === pageSize) await readNews()
  }

  /** Reads the whole log again: other entries may have taken the numbers of those that are lost. */
  async function readAnew (): Promise<void> {
    hasLost = true
    reset()
    own.clear()
    last = undefined
    isReadWhole = false
    await readNews()
  }

  /** Begins to write what was lost again. Nobody has to wait for it, since this process remembers what was lost. */
  function restoreLost (): void {
    hasLost = false
    restoring = restore().catch((error) => {
      hasLost = true
      log.warn(error, 'What the database has lost cannot be written again yet')
    }).finally(() => { restoring = undefined })
  }

  /** Counts and publishes entries of other processes, but for those that were there when this process began. */
  function publishNews (news: RevokedToken[]): void {
    if (news.length === 0 || !isReadWhole) return
    telemetry.counters.revocationsRead += news.length
    telemetry.publish('revocations', { entries: news.length, lagMs: Date.now() - news[0]!.createdAt.getTime() })
  }

  /** Makes what a transaction has written hold in this process, and tells the others. */
  function applyRecorded ({ endings, happenings }: Recorded): void {
    for (const ending of endings) {
      apply(ending)
      if (ending.revision > (last?.revision ?? 0)) own.add(ending.id)
    }
    happenings.forEach(events.tell)
    if (endings.length > 0) wakeOthers().catch((error) => log.error(error, unsent))
  }

  /** Only a hint, after the commit: so nobody waits for it, and a failure is only logged. */
  async function wakeOthers (): Promise<void> {
    await publish?.()
  }

  async function run<Result> (tx: EntityManager, work: Work<Result>) {
    const recorded: Recorded = { endings: [], happenings: [] }
    const result = await work(tx, writer(tx, recorded), async (happening) => {
      await events.write(tx, happening)
      recorded.happenings.push(happening)
    })
    return { result, recorded }
  }

  function writer (tx: EntityManager, { endings }: Recorded): Write {
    return async (kind, subject, epoch) => {
      // This locks the row, so numbers appear in the order of commits: a reader that has seen 7 has seen 1 to 6.
      await hold(tx)
      const [row] = await current.all<Revision>(tx, {})
      const revision = Number(row!.revision)
      const createdAt = new Date()
      const expiresAt = new Date(createdAt.getTime() + keptForMs)
      const entry = { id: uuid(), revision, kind, subject, epoch: epoch ?? null, createdAt, expiresAt }
      await insert.run(tx, entry)
      await database.notify?.(tx, channel)
      endings.push(entry)
    }
  }

  let started: Poll | undefined
  const wake = () => started?.wake()
  const publish = await revocation.wake?.(wake)
  const poll = started = await startPoll(read, revocation, log)
  const stopListening = await database.listen?.(channel, wake)

  return {
    async record (work, host) {
      if (host?.isInTransaction()) {
        const { result, recorded } = await run(database.join(host), work)
        database.commits.after(host, () => applyRecorded(recorded))
        return result
      }
      const { result, recorded } = await database.transaction((tx) => run(tx, work))
      applyRecorded(recorded)
      return result
    },

    ...poll,

    async close () {
      await stopListening?.()
      await poll.close()
      await restoring
    },
  }
}

/** A query for entries as plain rows and no entities, since a process may begin with a hundred thousand of them. */
function entries (em: EntityManager) {
  return selectFrom<RevokedToken>(em, RevokedToken).select('*')
}
