import t, { type Test } from 'tap'
import { isReferenced, isViolation } from '../../lib/database/violations.ts'
import type { AccountsOptions } from '../../lib/index.ts'
import { bearer, buildOnFile, password } from '../support/build.ts'
import { addTrigger, kind } from '../support/databases.ts'

const referenced = { statusCode: 409, code: 'ACCOUNTS_USER_REFERENCED' }
const violated = {
  statusCode: 409,
  code: 'ACCOUNTS_CONSTRAINT_VIOLATED',
  message: 'A rule of the database does not allow this',
}

/** The column of another table that refers to a user. */
const owner = { sqlite: 'text', postgresql: 'uuid', mariadb: 'varchar(36) character set utf8mb4 collate utf8mb4_bin' }[
  kind
]

/** What a foreign key may say that does not let a user go. */
const rules = {
  sqlite: ['', 'on delete restrict', 'on delete set null', 'deferrable initially deferred'],
  postgresql: ['', 'on delete restrict', 'on delete set null', 'deferrable initially deferred'],
  mariadb: ['', 'on delete restrict'],
}[kind]

async function shop (t: Test, options: AccountsOptions = {}) {
  const lines: string[] = []
  const logger = { stream: { write: (line: string) => { lines.push(line) } } }
  const built = await buildOnFile(t, { routes: { users: true }, events: { store: true }, ...options }, { logger })
  const send = (method: 'PATCH' | 'DELETE' | 'PUT', url: string, token: string, payload?: object) =>
    built.app.inject({ method, url, headers: bearer(token), ...payload && { payload } })
  /** All that is stored. */
  const rows = () =>
    Promise.all(
      ['users', 'sessions', 'revoked_tokens', 'revision', 'events'].map((table) =>
        built.sql.all(`select * from accounts_${table} order by id`)
      )
    )
  return { ...built, lines, send, rows }
}

for (const rule of rules) {
  t.test(
    `an order that refers to a user, ${rule || 'whatever comes'}, keeps them, and says so: nothing is deleted`,
    async (t) => {
      const { app, get, send, sql, rows, signUp } = await shop(t)
      const root = await signUp('root')
      await app.accounts.users.setRoles(root.user.id, ['admin'])
      const ada = await signUp()
      await sql.exec(
        `create table orders (id int primary key, owner ${owner} not null, foreign key (owner) references accounts_users (id) ${rule})`
      )
      await sql.run('insert into orders values (?, ?)', 1, ada.user.id)

      const before = await rows()
      t.match((await send('DELETE', '/auth/me', ada.access_token)).json(), referenced)
      t.match((await send('DELETE', `/auth/users/${ada.user.id}`, root.access_token)).json(), referenced)
      await t.rejects(app.accounts.users.delete(ada.user.id), referenced)
      if (!rule.startsWith('deferrable')) {
        await t.rejects(
          app.accounts.orm.em.fork().transactional((em) => app.accounts.users.delete(ada.user.id, { em })),
          referenced
        )
      }
      t.same(await rows(), before)
      t.equal((await get('/guarded', ada.access_token)).statusCode, 200)

      t.match(await app.accounts.users.disable(ada.user.id), { disabledAt: Date }, 'what may be done instead')
      await sql.run('delete from orders')
      t.equal((await send('DELETE', `/auth/users/${ada.user.id}`, root.access_token)).statusCode, 204)
      await sql.exec('drop table orders')
    }
  )
}

/** A rule that a table may be given. */
const checks = {
  sqlite: "alter table accounts_users add column rule text check (username <> 'eve')",
  postgresql: "alter table accounts_users add constraint rule check (username <> 'eve')",
  mariadb: "alter table accounts_users add constraint rule check (username <> 'eve')",
}

t.test("a check of the app's on our tables is a conflict and no outage, and nothing is half written", async (t) => {
  const { app, lines, post, rows, sql, signUp } = await shop(t)
  const { user } = await signUp()
  const { username_key: key } = (await sql.get('select username_key from accounts_users'))!
  await sql.exec(checks[kind])
  const before = await rows()
  t.match((await post('/auth/register', { username: 'eve', password })).json(), violated)
  await t.rejects(app.accounts.users.create({ username: 'eve' }), violated)
  await t.rejects(app.accounts.users.update(user.id, { username: 'eve' }), violated)
  t.match((await post('/auth/register', { username: 'ada', password })).json(), {
    statusCode: 409,
    code: 'ACCOUNTS_USER_EXISTS',
  })
  t.same(await rows(), before)
  t.match(await signUp('bob'), { user: { username: 'bob' } })

  const log = lines.join('')
  t.match(log, /ACCOUNTS_CONSTRAINT_VIOLATED.*rule/, 'the log says which rule it was')
  t.notMatch(log, /argon2id/, 'and nothing that stands in the row')
  t.notOk(log.includes(key))
})

t.test("a unique key of the app's own is a conflict too", async (t) => {
  const { send, sql, signUp } = await shop(t)
  const { access_token: token } = await signUp()
  await sql.exec('create table trail (id int primary key); insert into trail values (1);')
  await addTrigger(sql, 'before update', 'accounts_sessions', {
    sqlite: 'insert into trail values (1)',
    postgresql: 'insert into trail values (1)',
    mariadb: 'insert into trail values (1)',
  })
  const refused = await send('DELETE', '/auth/sessions', token)
  t.match(refused.json(), violated)
  t.notMatch(refused.body, /trail/)
})

t.test(
  "a trigger of the app's that refuses is a conflict too, whatever it says, and its words go to nobody",
  async (t) => {
    const failures = {
      sqlite: [
        "select raise(abort, 'secret words')",
        "select raise(fail, 'secret words')",
        "select raise(rollback, 'secret words')",
      ],
      postgresql: [
        "raise exception 'secret words'",
        "raise exception 'secret words' using errcode = 'SHOP1'",
        "raise exception 'secret words' using errcode = '23514'",
      ],
      mariadb: [
        "signal sqlstate '45000' set message_text = 'secret words'",
        "signal sqlstate 'SHOP1' set message_text = 'secret words'",
      ],
    }[kind]
    for (const failure of failures) {
      await t.test(failure, async (t) => {
        const { app, get, post, refresh, rows, send, sql, signUp } = await shop(t)
        const { user, access_token: access, refresh_token: token } = await signUp()
        const before = await rows()
        await addTrigger(sql, 'before update', 'accounts_users', {
          sqlite: failure,
          postgresql: failure,
          mariadb: failure,
        })
        const answers = [
          await post('/auth/login', { username: 'ada', password }),
          await send('DELETE', '/auth/sessions', access),
          await send('PUT', '/auth/password', access, {
            current_password: password,
            new_password: 'another horse battery staple',
          }),
        ]
        for (const answer of answers) {
          t.match(answer.json(), violated)
          t.notMatch(answer.body, /secret words/)
        }
        await t.rejects(app.accounts.users.setRoles(user.id, ['admin']), violated)
        t.same(await rows(), before)
        t.same([(await get('/guarded', access)).statusCode, (await refresh(token)).statusCode], [200, 200])
      })
    }
  }
)

t.test('a rule is told from a failure by what each driver says', async (t) => {
  const rules = [
    { code: '23514' },
    { code: '23P01' },
    { code: 'P0001' },
    { code: 'SHOP1', routine: 'exec_stmt_raise' },
    { errno: 1364 },
    { errno: 3819 },
    { errno: 4025 },
    { errno: 1644 },
    { sqlState: '23000' },
    { sqlState: '45000' },
  ]
  for (const told of rules) t.ok(isViolation(told), JSON.stringify(told))
  for (const told of [
    undefined,
    {},
    { code: '40001' },
    { code: '25006' },
    { code: 'SQLITE_FULL' },
    { errno: 2013 },
    { sqlState: '08S01' },
  ]) { t.notOk(isViolation(told), JSON.stringify(told)) }
  for (const told of [{ code: '23503' }, { code: 'ER_ROW_IS_REFERENCED_2' }]) { t.ok(isReferenced(told), JSON.stringify(told)) }
  for (const told of [undefined, { code: '23514' }, { code: 'SQLITE_CONSTRAINT_TRIGGER', message: 'no' }]) { t.notOk(isReferenced(told), JSON.stringify(told)) }
})
