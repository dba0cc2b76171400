import { isError, propertiesOf } from '../checks/any-error.ts'

/**
 * PostgreSQL: a serialization failure, a deadlock, too many connections, a server that is starting, and statements that
 * are no longer prepared as they were (`postgresql/prepared.ts`). MySQL and MariaDB: a lock wait timeout, a deadlock, a
 * record that has changed, and too many connections, of all or of this user.
 */
const busyCodes: unknown[] = [
  '40001', '40P01', '53300', '57P03', '0A000', '26000', '42P05', 1205, 1213, 1020, 1040, 1203, 1226,
]

/** PostgreSQL: a read-only transaction. MySQL and MariaDB: `read_only`, a read-only transaction, a read-only server. */
const readOnlyCodes: unknown[] = ['25006', 1290, 1792, 1836]

/** True for errors that undo a transaction for reasons that pass, so that it may be tried again. */
export function isBusy (error: unknown): boolean {
  return hasCode(error, busyCodes) || isLocked(error)
}

/** True for an SQLite file that another process writes to. */
export function isLocked (error: unknown): boolean {
  return String(propertiesOf(error).code).startsWith('SQLITE_BUSY')
}

/** True for the refusal of a read-only server to write, such as the old primary after a failover. */
export function isReadOnly (error: unknown): boolean {
  return hasCode(error, readOnlyCodes)
}

function hasCode (error: unknown, codes: unknown[]): boolean {
  const { code, errno } = propertiesOf(error)
  return codes.includes(code) || codes.includes(errno)
}

/**
 * An error of a driver without the values of its statement or its row, which may be password hashes: mysql2 has them in
 * `sql`, and for a duplicate key in the message; pg has them in `detail`, which MikroORM adds to the message.
 */
export function withoutValues (error: unknown): unknown {
  if (!isError(error)) return error
  const { name, message, stack, code } = error as Error & { code?: unknown }
  const told = message.replace(/\n - detail: .*/s, '').replace(/^(Duplicate entry) '.*'(?= for key)/s, '$1')
  return Object.assign(new Error(told), { name, stack: stack!.replace(message, () => told), code })
}
