import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { build } from '../support/build.ts'
import { answers, freshDatabase, open, type Kind } from '../support/databases.ts'
import { cli, json, spawned } from './cli.ts'

const dialects = [
  ['sqlite', 'sqlite'],
  ['postgresql', 'postgresql'],
  ['mysql', 'mariadb'],
  ['mariadb', 'mariadb'],
] as const
const isThere = { sqlite: true, postgresql: await answers('postgresql'), mariadb: await answers('mariadb') }

/** Every column of every table of ours, and every index. */
const shapes: Record<Kind, string> = {
  sqlite: `select m.name as t, c.name as c, c.type, c."notnull" as n, c.pk from sqlite_master m join pragma_table_info(m.name) c where m.type = 'table' and m.name like 'accounts%'
    union all select name, tbl_name, sql, 0, 0 from sqlite_master where type = 'index' and sql is not null order by 1, 2`,
  postgresql: `select table_name, column_name, data_type, is_nullable, datetime_precision::text from information_schema.columns where table_schema = 'public'
    union all select indexname, tablename, indexdef, '', '' from pg_indexes where schemaname = 'public' order by 1, 2`,
  mariadb: `select table_name, column_name, column_type, is_nullable from information_schema.columns where table_schema = database()
    union all select index_name, table_name, column_name, non_unique from information_schema.statistics where table_schema = database() order by 1, 2, 3`,
}

for (const [driver, kind] of dialects) {
  t.test(
    `what sql prints for ${driver} makes the tables that the plugin would make, and leaves it none to run`,
    { skip: !isThere[kind] && `there is no ${kind} here` },
    async (t: Test) => {
      const cwd = t.testdir({})
      const [byHand, byPlugin] = [await freshDatabase(t, kind), await freshDatabase(t, kind)]
      const [sql, other] = [open(byHand), open(byPlugin)]
      t.teardown(async () => {
        await Promise.all([sql.close(), other.close()])
      })

      await sql.exec((await spawned(['sql', '--driver', driver], { cwd })).stdout)
      await json(['migrate', '--db', byPlugin], { cwd })
      t.strictSame(await sql.all(shapes[kind]), await other.all(shapes[kind]))

      const { signUp, get } = await build(t, { db: byHand, schema: 'none' })
      t.equal((await get('/guarded', (await signUp()).access_token)).statusCode, 200)
      t.match(await json(['migrate', '--db', byHand], { cwd }), { code: 0, ran: [] })
      t.match(await json(['user', 'list', '--db', byHand], { cwd }), { users: [{ username: 'ada' }] })
    }
  )
}

t.test('sql is for accounts of any name, and for no other driver', async (t) => {
  const cwd = t.testdir({})
  const { sql } = await json(['sql', '--driver', 'sqlite', '--name', 'admins'], { cwd })
  t.match(sql, 'create table admins_users')
  t.notMatch(sql, 'accounts_')
  for (const wrong of [
    [],
    ['--driver', 'oracle'],
    ['--driver', 'toString'],
    ['--driver', 'sqlite', '--name', 'a; drop'],
  ]) {
    t.match(await json(['sql', ...wrong], { cwd }), { code: 2, error: { code: 'ACCOUNTS_USAGE' } })
  }
})

t.test('migrate makes the tables and says so, and says so too when there is nothing to do', async (t) => {
  const cwd = t.testdir({})
  t.match(await cli(['migrate', '--name', 'admins'], { cwd }), { code: 0, stdout: /^Ran 0001-initial, .*\.$/ })
  t.match(await cli(['migrate', '--name', 'admins'], { cwd }), { code: 0, stdout: /^Nothing to run/ })
  t.match((await json(['migrate'], { cwd })).ran, ['0001-initial'])
  t.ok(existsSync(join(cwd, 'accounts.sqlite')))
})

t.test('no file is made where one is looked for, and no table is changed where one is looked at', async (t) => {
  const cwd = t.testdir({ 'empty.sqlite': '' })
  t.match(await json(['user', 'list'], { cwd }), {
    code: 1,
    error: { code: 'ACCOUNTS_REFUSED', message: /There is no file accounts.sqlite/ },
  })
  t.notOk(existsSync(join(cwd, 'accounts.sqlite')))

  t.match(await json(['user', 'list', '--db', 'empty.sqlite'], { cwd }), {
    code: 1,
    error: { code: 'ACCOUNTS_REFUSED', message: /not up to date/ },
  })
  const sql = open(join(cwd, 'empty.sqlite'))
  t.strictSame(await sql.all('select name from sqlite_master'), [])
  await sql.close()
})

t.test('a database that is not there is told of, without its password', async (t) => {
  const cwd = t.testdir({})
  const { code, error } = await json(['user', 'list', '--db', 'postgresql://ada:hunter2@127.0.0.1:1/app'], { cwd })
  t.equal(code, 1)
  t.match(error, { code: 'ACCOUNTS_OPTIONS_INVALID', message: /127\.0\.0\.1:1/ })
  t.notMatch(error.message, /hunter2/)
})

t.test('a configuration says which accounts, with a MikroORM of its own too, and flags come before it', async (t) => {
  const cwd = t.testdir({})
  const sqlite = import.meta.resolve('@mikro-orm/sqlite')
  writeFileSync(
    join(cwd, 'own.ts'),
    `import { MikroORM } from '${sqlite}'
const orm: MikroORM = await MikroORM.init({ dbName: 'own.sqlite', entities: [], discovery: { warnWhenNoEntities: false }, schemaGenerator: { skipTables: [/^(accounts|admins)_/] } })
export default { orm, name: 'admins' }`
  )
  t.match((await json(['migrate', '--config', 'own.ts'], { cwd })).ran, ['0001-initial'])
  t.match(await json(['user', 'add', 'ada', '--generate', '--config', 'own.ts'], { cwd }), { username: 'ada' })
  t.match(await json(['user', 'list', '--config', 'own.ts'], { cwd }), { users: [{ username: 'ada' }] })
  t.match(await json(['user', 'list', '--config', 'own.ts', '--name', 'accounts'], { cwd }), {
    code: 1,
    error: { code: 'ACCOUNTS_REFUSED' },
  })
})

t.test("with the schema 'none' nobody asks which migrations have run", async (t) => {
  const cwd = t.testdir({
    'none.js': "export default { db: 'app.sqlite', schema: 'none', secret: 'Zq8vT2kLw9XcR5nYb3HjM7pFs1DgA4uE' }",
  })
  await json(['migrate', '--db', 'app.sqlite'], { cwd })
  const sql = open(join(cwd, 'app.sqlite'))
  await sql.exec('drop table accounts_migrations')
  await sql.close()
  t.match(await json(['user', 'list', '--config', 'none.js'], { cwd }), { code: 0, users: [] })
})

t.test('what nobody foresaw has a code too', async (t) => {
  const cwd = t.testdir({
    'bus.js': "export default { db: 'app.sqlite', revocation: { wake: () => { throw new Error('The bus is away') } } }",
  })
  await json(['migrate', '--db', 'app.sqlite'], { cwd })
  t.match(await json(['prune', '--config', 'bus.js'], { cwd }), {
    code: 1,
    error: { code: 'ACCOUNTS_FAILED', message: 'The bus is away' },
  })
  t.match(await cli(['prune', '--config', 'bus.js'], { cwd }), { code: 1, stdout: '', stderr: 'The bus is away' })
})

t.test('a file that holds no options is refused', async (t) => {
  const cwd = t.testdir({
    'text.js': 'export default 1',
    'none.js': 'export const options = {}',
    'broken.js': 'export default {',
  })
  for (const file of ['text.js', 'none.js', 'broken.js', 'missing.js']) {
    t.match(await json(['user', 'list', '--config', file], { cwd }), {
      code: 2,
      error: { code: 'ACCOUNTS_USAGE', message: new RegExp(file) },
    })
  }
})
