/**
 * A foreign key, by the codes of the drivers: PostgreSQL; SQLite, where `restrict` is a trigger that says so; MySQL and
 * MariaDB. A key that sets null what may not be null is told of the column.
 */
const referenceCodes: unknown[] = [
  '23503', '23001', '23502', 'SQLITE_CONSTRAINT_FOREIGNKEY', 'SQLITE_CONSTRAINT_NOTNULL', 'ER_ROW_IS_REFERENCED_2', 'ER_ROW_IS_REFERENCED',
]

/** MySQL and MariaDB: a column without a value, a check of each of them, and what a trigger signals. */
const ruleNumbers: unknown[] = [1364, 3819, 4025, 1644]

/**
 * True when a constraint or a trigger has refused a statement: to run it again, as after a failure, changes nothing. SQLite
 * tells both by one code; the class 23 of SQLSTATE is constraints, P0 what PL/pgSQL raises, 45 what a signal says by default.
 */
export function isViolation (error: unknown): boolean {
  const { code, errno, sqlState, routine } = Object(error) as Record<'code' | 'errno' | 'sqlState' | 'routine', unknown>
  return /^(SQLITE_CONSTRAINT|(23|P0)...$)/.test(String(code)) || routine === 'exec_stmt_raise' ||
    ruleNumbers.includes(errno) || /^(23|45)/.test(String(sqlState))
}

/** True when what was to be deleted is still pointed at by another row. */
export function isReferenced (error: unknown): boolean {
  const { code, message } = Object(error) as Record<'code' | 'message', unknown>
  return referenceCodes.includes(code) || (code === 'SQLITE_CONSTRAINT_TRIGGER' && String(message).includes('FOREIGN KEY'))
}
