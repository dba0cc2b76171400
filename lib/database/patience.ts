import { isError } from '../checks/any-error.ts'
import { Unavailable } from '../http/errors.ts'

/** Gives up on what waits for a connection that nobody gives back. */
export async function within<Result> (ms: number, work: Promise<Result>): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Unavailable()), Math.max(0, ms))
  return Promise.race([work, promise]).finally(() => clearTimeout(timer))
}

/**
 * PostgreSQL: a serialization that failed, a deadlock, too many connections, and a server that is just starting. MySQL and
 * MariaDB: a lock not had, a deadlock, a row that changed, and too many connections, of all or of this user.
 */
const busyCodes: unknown[] = ['40001', '40P01', '53300', '57P03', 1205, 1213, 1020, 1040, 1203, 1226]

/** PostgreSQL: a transaction that only reads. MySQL and MariaDB: `read_only`, a transaction, and a server that only reads. */
const readOnlyCodes: unknown[] = ['25006', 1290, 1792, 1836]

/** True for what a transaction may try again after, since nothing of it was done. */
export function isBusy (error: unknown): boolean {
  return hasCode(error, busyCodes) || isLocked(error)
}

/** True for an SQLite file that another process writes to. */
export function isLocked (error: unknown): boolean {
  return String(Object(error).code).startsWith('SQLITE_BUSY')
}

/** True for what a server refused to write that only reads, as the old primary does after a failover. */
export function isReadOnly (error: unknown): boolean {
  return hasCode(error, readOnlyCodes)
}

function hasCode (error: unknown, codes: unknown[]): boolean {
  const { code, errno } = Object(error) as { code?: unknown, errno?: unknown }
  return codes.includes(code) || codes.includes(errno)
}

/**
 * An error of a driver without what stands in its statement or its row, password hashes too: mysql2 tells in `sql`, and of a
 * key that is there twice in the message; pg in `detail`, which MikroORM adds to the message.
 */
export function withoutValues (error: unknown): unknown {
  if (!isError(error)) return error
  const { name, message, stack, code } = error as Error & { code?: unknown }
  const told = message.replace(/\n - detail: .*/s, '').replace(/^(Duplicate entry) '.*'(?= for key)/s, '$1')
  return Object.assign(new Error(told), { name, stack: stack!.replace(message, () => told), code })
}
