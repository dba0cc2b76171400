import t from 'tap'
import { isBusy, withoutValues } from '../../lib/database/patience.ts'

const failed = (told: object) => Object.assign(new Error('failed'), told)

t.test('what was not done because somebody else was at it may be done again, and nothing else', async (t) => {
  const busy = [
    { code: 'SQLITE_BUSY' },
    { code: 'SQLITE_BUSY_SNAPSHOT' },
    { code: '40001' },
    { code: '40P01' },
    { code: '53300' },
    { code: '57P03' },
    { errno: 1205 },
    { errno: 1213 },
    { errno: 1020 },
    { errno: 1040 },
    { errno: 1203 },
    { errno: 1226 },
  ]
  for (const told of busy) t.ok(isBusy(failed(told)), JSON.stringify(told))
  const others = [
    {},
    { code: 'SQLITE_FULL' },
    { code: '23505' },
    { code: '57P01' },
    { code: '25006' },
    { errno: 1290 },
    { code: 'ECONNRESET' },
    { errno: 1062 },
    { errno: 2013 },
  ]
  for (const told of others) t.notOk(isBusy(failed(told)), JSON.stringify(told))
  for (const thrown of [undefined, null, 'failed', 5]) t.notOk(isBusy(thrown))
})

t.test('an error of a driver is told without the statement and the row', async (t) => {
  const told = withoutValues(
    failed({
      code: '23514',
      sql: 'insert $argon2id$',
      detail: 'Failing row contains ($argon2id$)',
      sqlMessage: '$argon2id$',
    })
  )
  t.match(told, { message: 'failed', code: '23514', stack: /patience\.test\.ts/ })
  t.notMatch(JSON.stringify(told), 'argon2id')
  for (const thrown of [undefined, null, 'failed', 5]) t.equal(withoutValues(thrown), thrown)
})
