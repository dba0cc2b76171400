import { isError } from '../any-error.ts'
import { Unavailable } from '../errors.ts'

/** Nothing waits longer than this for the database. */
export const mostWaitMs = 10_000

/** Gives up on what waits for a connection that nobody gives back. */
export async function within<Result> (ms: number, work: Promise<Result>): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Unavailable()), ms)
  return Promise.race([work, promise]).finally(() => clearTimeout(timer))
}

/** PostgreSQL: a serialization that failed and a deadlock. MySQL and MariaDB: a lock not had, a deadlock, a row that changed. */
const busyCodes: unknown[] = ['40001', '40P01', 1205, 1213, 1020]

/** True for what a transaction may try again after, since nothing of it was done. */
export function isBusy (error: unknown): boolean {
  const { code, errno } = Object(error) as { code?: unknown, errno?: unknown }
  return busyCodes.includes(code) || busyCodes.includes(errno) || String(code).startsWith('SQLITE_BUSY')
}

/**
 * An error of a driver without what stands in its statement or its row, password hashes too: mysql2 tells in `sql`, and of a
 * key that is there twice in the message; pg in `detail`, which MikroORM adds to the message.
 */
export function withoutValues (error: unknown): unknown {
  if (!isError(error)) return error
  const { name, message, stack, code } = error as Error & { code?: unknown }
  const told = message.replace(/\n - detail: .*/s, '').replace(/^(Duplicate entry) '.*'(?= for key)/s, '$1')
  return Object.assign(new Error(told), { name, stack: stack?.replace(message, () => told), code })
}
