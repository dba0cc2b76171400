import { raw, type EntityManager } from '@mikro-orm/core'
import type { SqlEntityManager } from '@mikro-orm/sqlite'
import type { FastifyBaseLogger } from 'fastify'
import { v7 as uuid } from 'uuid'
import type { Database } from '../database.ts'
import { Revision } from '../entities/revision.ts'
import { RevokedToken } from '../entities/revoked-token.ts'
import type { Settings } from '../settings.ts'
import type { Telemetry } from '../telemetry.ts'
import type { Ending } from './revocations.ts'

/** Adds an entry to the log, in the transaction of what it tells of; for a user with the epoch. */
export type Write = (kind: RevokedToken['kind'], subject: string, epoch?: number) => Promise<void>

export interface RevocationLog {
  /**
   * Runs `work` in one short transaction, which writes first, as InnoDB and SQLite need it. What it adds to the log
   * holds in this process before the promise is fulfilled, and in others when they read it. In a transaction of the
   * host's, that of `em`, it holds once that is committed.
   */
  record: <Result>(work: (tx: EntityManager, write: Write) => Promise<Result>, em?: EntityManager) => Promise<Result>
  /** True while this process has read the log recently enough to decide without it. */
  isFresh: () => boolean
  /** How long ago the last read that succeeded began, in ms. */
  stalenessMs: () => number
  /**
   * Reads the log until this process knows what it must.
   * @throws {Unavailable} when it cannot
   */
  catchUp: () => Promise<void>
  close: () => Promise<void>
}

/** What the log is read from, and told to. */
export interface LogParts {
  database: Database
  telemetry: Telemetry
  apply: (ending: Ending) => void
  /** The log has lost entries that were read: a backup was put back, or a replica that lagged took over. */
  reset: () => void
}

/** Tokens signed by a machine whose clock is ahead live that much longer. */
export const clockSkewSeconds = 60

const pageSize = 5000

/** A storm of messages is answered by one read. */
const gatherMs = 10

/** Reads the whole log, and then what is new in it: about once a second, and sooner when it is woken. */
export async function openRevocationLog (
  { database, telemetry, apply, reset }: LogParts, { name, access, leewaySeconds, revocation }: Settings, log: FastifyBaseLogger
): Promise<RevocationLog> {
  const keptForMs = (access.expiresInSeconds + leewaySeconds + clockSkewSeconds) * 1000
  const { pollIntervalSeconds, maxStalenessSeconds } = revocation
  const channel = `${name}_revocations`
  const committing = new WeakMap<object, RevokedToken[]>()
  const watched = new WeakSet<object>()
  /** Entries of this process that it has not read yet. */
  const own = new Set<string>()

  /** The newest entry that is known. */
  let last: RevokedToken | undefined
  /** When the last read that succeeded began, on the clock that never steps. */
  let readAt = -Infinity
  let reading: Promise<void> | undefined
  let isPolling = false
  let isWoken = false
  let isCutOff = false
  let isClosed = false
  let timer: NodeJS.Timeout | undefined

  async function read (): Promise<void> {
    const startedAt = performance.now()
    const [newest] = await database.run((em) => entries(em).orderBy({ revision: 'desc' }).limit(1).execute('all'))
    if (newest?.id !== last?.id) await readNews()
    readAt = startedAt
  }

  /** Reads on from the last entry that is known, itself included: one that is gone too early shows that the log is another one. */
  async function readNews (): Promise<void> {
    const now = new Date()
    const isAlive = { revision: { $gte: last?.revision ?? 0 }, expiresAt: { $gt: now } }
    const page = await database.run((em) => entries(em).where(isAlive).orderBy({ revision: 'asc' }).limit(pageSize).execute('all'))
    if (last && last.expiresAt > now && page[0]?.id !== last.id) {
      reset()
      last = undefined
      return readNews()
    }
    const news = page.filter(({ id }) => id !== last?.id)
    news.forEach(apply)
    tell(news.filter(({ id }) => !own.delete(id)))
    last = page.at(-1) ?? last
    if (page.length === pageSize) await readNews()
  }

  /** What the log had before this process began is no news. */
  function tell (news: RevokedToken[]): void {
    if (news.length === 0 || readAt === -Infinity) return
    telemetry.counters.revocationsRead += news.length
    telemetry.publish('revocations', { entries: news.length, lagMs: Date.now() - news[0]!.createdAt.getTime() })
  }

  /** Those who ask at once share one read. */
  function readOnce (): Promise<void> {
    reading ??= read().finally(() => { reading = undefined })
    return reading
  }

  async function poll (): Promise<void> {
    isPolling = true
    isWoken = false
    // One that had begun before may have missed what woke us.
    await reading?.catch(() => {})
    await readOnce().then(() => note(false), (error) => note(true, error))
    isPolling = false
    pollIn(isWoken ? gatherMs : pollIntervalSeconds * 1000)
  }

  function pollIn (ms: number): void {
    clearTimeout(timer)
    if (!isClosed) timer = setTimeout(poll, ms).unref()
  }

  function isFresh (): boolean {
    return performance.now() - readAt < maxStalenessSeconds * 1000
  }

  /** Says once that the database is away, and once that it is back. */
  function note (isAway: boolean, error?: unknown): void {
    if (isAway && !isCutOff) log.warn(error, 'The log of revocations cannot be read: requests wait for the database')
    if (!isAway && isCutOff) log.info('The log of revocations is read again')
    isCutOff = isAway
  }

  function wake (): void {
    if (isWoken) return
    isWoken = true
    if (!isPolling) pollIn(gatherMs)
  }

  function hold (endings: RevokedToken[]): void {
    for (const ending of endings) {
      apply(ending)
      if (ending.revision > (last?.revision ?? 0)) own.add(ending.id)
    }
    if (endings.length > 0) publish?.()
  }

  function writer (tx: EntityManager, written: RevokedToken[]): Write {
    return async (kind, subject, epoch) => {
      // Locking the one row first makes the numbers appear in commit order: a reader who saw 7 has seen 1 to 6.
      await tx.nativeUpdate(Revision, { id: 1 }, { revision: raw<number>('revision + 1') })
      const { revision } = await tx.findOneOrFail(Revision, { id: 1 }, { connectionType: 'write', disableIdentityMap: true })
      const now = new Date()
      const entry = { id: uuid(), revision, kind, subject, epoch: epoch ?? null, createdAt: now, expiresAt: new Date(now.getTime() + keptForMs) }
      await tx.insert(RevokedToken, entry)
      await database.notify?.(tx, channel)
      written.push(entry)
    }
  }

  /** Waits for the end of a transaction that is not ours. One that is rolled back has ended nothing. */
  function holdAfterCommit (host: EntityManager, endings: RevokedToken[]): void {
    const manager = host.getEventManager()
    if (!watched.has(manager)) {
      watched.add(manager)
      manager.registerSubscriber({
        afterTransactionCommit: ({ transaction }) => { hold(committing.get(transaction as object) ?? []) },
      })
    }
    const transaction = host.getTransactionContext<object>()!
    committing.set(transaction, [...committing.get(transaction) ?? [], ...endings])
  }

  const publish = await revocation.wake?.(wake)
  const stopListening = await database.listen?.(channel, wake)
  await readOnce()
  pollIn(pollIntervalSeconds * 1000)

  return {
    async record (work, host) {
      const endings: RevokedToken[] = []
      if (host?.isInTransaction()) {
        const em = database.join(host)
        const result = await work(em, writer(em, endings))
        holdAfterCommit(host, endings)
        return result
      }
      const result = await database.run((em) => em.transactional((tx) => {
        endings.length = 0
        return work(tx, writer(tx, endings))
      }))
      hold(endings)
      return result
    },

    isFresh,
    stalenessMs: () => performance.now() - readAt,

    async catchUp () {
      // One that had begun before may be as old by now as what was known.
      await reading
      if (!isFresh()) await readOnce()
    },

    async close () {
      isClosed = true
      clearTimeout(timer)
      await stopListening?.()
      await reading?.catch(() => {})
    },
  }
}

/** The log as rows and no entities, since a process may begin with a hundred thousand of them; never from a replica. */
function entries (em: EntityManager) {
  return (em as SqlEntityManager).createQueryBuilder(RevokedToken, 'entry', 'write').select('*')
}
