import { propertiesOf } from '../checks/any-error.ts'

/**
 * A foreign key that refuses a deletion, by the codes of the drivers: PostgreSQL's, SQLite's, MySQL's and MariaDB's.
 * With `on delete set null` the error is about the column that may not be null.
 */
const referenceCodes: unknown[] = [
  '23503', '23001', '23502',
  'SQLITE_CONSTRAINT_FOREIGNKEY', 'SQLITE_CONSTRAINT_NOTNULL',
  'ER_ROW_IS_REFERENCED_2', 'ER_ROW_IS_REFERENCED',
]

/** MySQL and MariaDB: a column without a value, a check of each of the two, and the `signal` of a trigger. */
const ruleNumbers: unknown[] = [1364, 3819, 4025, 1644]

/**
 * True when a constraint or a trigger has refused a statement, so that to run it again would change nothing. SQLite has
 * one code for both; class 23 of SQLSTATE is for constraints, P0 for errors that PL/pgSQL raises, and 45 for signals.
 */
export function isViolation (error: unknown): boolean {
  const { code, errno, sqlState, routine } = propertiesOf(error)
  return /^(SQLITE_CONSTRAINT|(23|P0)...$)/.test(String(code)) || routine === 'exec_stmt_raise' ||
    ruleNumbers.includes(errno) || /^(23|45)/.test(String(sqlState))
}

/** True when another row still refers to the one that was to be deleted. For `restrict` SQLite reports a trigger. */
export function isReferenced (error: unknown): boolean {
  const { code, message } = propertiesOf(error)
  if (code === 'SQLITE_CONSTRAINT_TRIGGER') return String(message).includes('FOREIGN KEY')
  return referenceCodes.includes(code)
}
