// On each database.
// In a process of its own, for 20 s: it sets the environment.
import {
  defineEntity,
  EntityCaseNamingStrategy,
  p,
  type EntityManager,
  type MikroORM,
  type Options,
} from '@mikro-orm/core'
import type { SqliteConnection, SqliteDriver } from '@mikro-orm/sqlite'
import type Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { Session } from '../../lib/sessions/entity.ts'
import accounts, { entities, User, type AccountsOptions } from '../../lib/index.ts'
import { bearer, build, cheap, client, decode, password, secret } from '../support/build.ts'
import { freshDatabase, kind, notEverywhere, open, ormOf, openDatabase } from '../support/databases.ts'
import { Fastify } from '../support/fastify.ts'

/** What an app of its own may keep: a shop, and one that belongs to a user of ours. */
const ShopSchema = defineEntity({
  name: 'Shop',
  tableName: 'shops',
  properties: { id: p.integer().primary(), title: p.string() },
})
/** What Kysely takes, which MikroORM runs statements by. */
type KyselyPlugin = Parameters<ReturnType<SqliteConnection['getClient']>['withPlugin']>[0]
const StallSchema = defineEntity({
  name: 'Stall',
  tableName: 'stalls',
  properties: {
    id: p.integer().primary(),
    title: p.string(),
    owner: () => p.manyToOne(User).joinColumn('owner_id').deleteRule('cascade'),
  },
})

/** What a MikroORM of the app's own is told, so that it leaves our tables alone. */
const safe = { schemaGenerator: { skipTables: [/^(accounts|admins)_/] } }

/** A MikroORM of the app's own, which it closes itself. */
async function ownOrm (t: Test, options: Partial<Options> = {}, database?: string): Promise<MikroORM> {
  const orm = await ormOf(database ?? await freshDatabase(t), { entities: [ShopSchema], ...safe, ...options })
  t.teardown(() => orm.close(true))
  return orm
}

/** An app on a MikroORM. */
async function on (t: Test, orm: AccountsOptions['orm'], options: AccountsOptions = {}) {
  return build(t, { orm: orm!, ...options })
}

/** What keeps the app from starting. */
async function refusal (t: Test, options: unknown): Promise<string> {
  const app = Fastify()
  t.teardown(() => app.close())
  return app.register(accounts, { secret, password: cheap, ...(options as AccountsOptions) }).then(
    () => 'nothing',
    ({ code, message }) => `${code}: ${message}`
  )
}

/** The whole life of a session. */
async function works (
  t: Test,
  {
    signUp,
    signIn,
    refresh,
    post,
    get,
  }: Pick<Awaited<ReturnType<typeof build>>, 'signUp' | 'signIn' | 'refresh' | 'post' | 'get'>
) {
  const { user, refresh_token: first } = await signUp()
  const { refresh_token: second, access_token: access } = (await refresh(first)).json()
  t.match((await get('/guarded', access)).json(), { user })
  t.equal((await post('/auth/logout', { refresh_token: second })).statusCode, 204)
  t.match((await get('/guarded', access)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match(await signIn(), { user })
}

t.test('an app may share its MikroORM, and what it keeps there stays its own', async (t) => {
  const orm = await ownOrm(t, { namingStrategy: EntityCaseNamingStrategy })
  await orm.schema.create()
  const built = await on(t, orm)
  await works(t, built)
  t.not(built.app.accounts.orm, orm)
  await built.app.close()

  await orm.em.fork().insert(ShopSchema, { id: 1, title: 'Ada & Co.' })
  t.match(await orm.em.fork().findOne(ShopSchema, 1), { title: 'Ada & Co.' }, 'and it closes itself what it has opened')
  t.notOk(orm.getMetadata().has(User))
})

const driverName = { sqlite: 'SqliteDriver', postgresql: 'PostgreSqlDriver', mariadb: 'MariaDbDriver' }[kind]
const { [driverName]: Driver }: Record<string, typeof SqliteDriver> = await import(`@mikro-orm/${kind}`)

/** What an app may say of its own MikroORM, by what came of it where ours went through that. */
const settings: Record<string, Partial<Options>> = {
  'undefined in place of null': { forceUndefined: true },
  'rows from a cache': { resultCache: { global: 60_000 } },
  'no transactions': { disableTransactions: true },
  'nothing stored that is made': { persistOnCreate: false },
  'a filter by what our tables do not have': {
    filters: { live: { name: 'live', cond: { deletedAt: null }, default: true } },
  },
  'a filter that wants to be told whose': {
    filters: { tenant: { name: 'tenant', cond: ({ id }: { id: string }) => ({ tenantId: id }), default: true } },
  },
  'a filter that hides all': {
    filters: { none: { name: 'none', cond: { id: '0198fe50-7d1c-7aaa-8aaa-000000000000' }, default: true } },
  },
  'other names': { namingStrategy: EntityCaseNamingStrategy },
  'other tables': {
    discovery: {
      onMetadata (meta) {
        meta.tableName = `shop_${meta.tableName}`
      },
    },
  },
  'another zone': { forceUtcTimezone: false, timezone: '+09:00' },
  'statements of its own making': {
    onQuery: (text: string) =>
      text
        .replace('"accounts_users"', '(select * from "accounts_users" limit 0)')
        .replace('`accounts_users`', '(select * from `accounts_users` limit 0)'),
  },
  'a subscriber that takes it over': {
    subscribers: [
      {
        beforeCreate ({ entity }: { entity: Partial<User> }) {
          entity.roles = ['admin']
        },
        beforeUpdate () {
          throw new Error('not today')
        },
        afterDelete () {
          throw new Error('not today')
        },
      },
    ],
  },
  'a driver that it has extended': {
    driver: (() =>
      class extends Driver! {
        override async nativeUpdate (): Promise<never> {
          throw new Error('not today')
        }
      })(),
  },
  'nobody required': {
    validateRequired: false,
    ignoreUndefinedInQuery: true,
    flushMode: 'always',
    populateWhere: 'infer',
    allowGlobalContext: true,
  },
  'errors of its own': { findOneOrFailHandler: () => new RangeError('nobody'), forceEntityConstructor: true },
}

for (const [what, options] of Object.entries(settings)) {
  t.test(`what an app says of its own MikroORM changes nothing of ours: ${what}`, async (t) => {
    const orm = await ownOrm(t, { entities: [...entities, ShopSchema], ...options })
    const { app, post, get, signUp, signIn, refresh } = await on(t, orm, {
      hooks: {
        onRegister: async (_, { username }) => {
          if (username === 'eve') throw Object.assign(new Error('not you'), { statusCode: 403 })
        },
      },
    })
    const { users, sessions } = app.accounts
    const ada = await signUp()
    t.match(ada, { user: { username: 'ada', email: null, roles: [] } })
    t.match(await signUp('eve'), { statusCode: 403 })
    t.equal(await users.find('eve'), null, 'both are stored, or neither')
    t.match(await signUp(), { code: 'ACCOUNTS_USER_EXISTS' })
    t.same((await users.list()).users.map(({ username }) => username), ['ada'])

    const { sid } = decode(ada.access_token).payload
    t.match(await sessions.list(ada.user.id), [{ id: sid }])
    t.ok(Math.abs(Date.now() - (await sessions.list(ada.user.id))[0]!.createdAt.getTime()) < 60_000)
    const other = await signIn()
    t.equal(
      (await app.inject({ method: 'DELETE', url: '/auth/sessions?keep=current', headers: bearer(ada.access_token) }))
        .statusCode,
      204
    )
    t.equal((await refresh(other.refresh_token)).statusCode, 401)
    t.match(await users.update(ada.user.id, { username: 'lady', email: 'lady@example.com' }), {
      username: 'lady',
      email: 'lady@example.com',
    })
    t.equal((await get('/strict', ada.access_token)).json().user.username, 'lady')
    t.match(await users.setRoles(ada.user.id, ['owner']), { roles: ['owner'] })

    t.ok((await users.disable(ada.user.id)).disabledAt instanceof Date)
    t.same(
      [(await get('/strict', ada.access_token)).statusCode, (await get('/guarded', ada.access_token)).statusCode],
      [401, 401]
    )
    t.equal((await refresh(ada.refresh_token)).statusCode, 401)
    t.match(await signIn('lady'), { code: 'ACCOUNTS_CREDENTIALS_INVALID' })
    await users.enable(ada.user.id)
    const again = await signIn('lady')
    t.equal((await post('/auth/logout', undefined, again.access_token)).statusCode, 204)
    t.equal((await get('/strict', again.access_token)).statusCode, 401)
    await users.delete(ada.user.id)
    t.equal(await users.find(ada.user.id), null)
    t.match(await app.accounts.prune(), { sessions: 0 })
    t.equal(app.accounts.orm, orm)
  })
}

t.test('a function may give the MikroORM, at once or later, and it need not be connected', async (t) => {
  const orm = await ownOrm(t)
  await works(t, await on(t, () => orm))
  t.match(await (await on(t, async () => orm)).signIn(), { user: { username: 'ada' } })
})

t.test('entities of an app may relate to our users, whatever it names its tables and columns', async (t) => {
  const orm = await ownOrm(t, { entities: [...entities, StallSchema], namingStrategy: EntityCaseNamingStrategy })
  const built = await on(t, orm)
  t.equal(built.app.accounts.orm, orm)
  await works(t, built)
  await orm.em.getConnection().execute(`create table stalls (id int primary key, title varchar(255) not null,
    owner_id ${kind === 'postgresql' ? 'uuid' : 'varchar(36)'} not null references accounts_users (id) on delete cascade)${kind === 'mariadb' ? ' collate utf8mb4_bin' : ''}`)

  const em = orm.em.fork()
  const owner = await em.findOneOrFail(User, { username: 'ada' })
  em.create(StallSchema, { id: 1, title: 'Ada & Co.', owner })
  await em.flush()
  t.match(await orm.em.fork().find(StallSchema, { owner: { username: 'ada' } }, { populate: ['owner'] }), [
    { title: 'Ada & Co.', owner: { id: owner.id, username: 'ada' } },
  ])
  await works(t, { ...built, signUp: () => built.signUp('bob'), signIn: () => built.signIn('bob') })
})

t.test('the app may close its MikroORM in a hook of its own, after ours', async (t) => {
  for (const known of [[ShopSchema], [...entities, StallSchema]]) {
    const orm = await ownOrm(t, { entities: known })
    const app = Fastify()
    app.addHook('onClose', () => orm.close(true))
    await app.register(accounts, { orm, secret, password: cheap })
    app.get('/guarded', { preHandler: app.authenticate }, async ({ user }) => user)
    const { signUp, refresh, get } = client(app)
    const { refresh_token: token } = await signUp()
    t.equal((await get('/guarded', (await refresh(token)).json().access_token)).statusCode, 200)
    await t.resolves(app.close())
    t.notOk(await orm.isConnected())
  }
})

t.test("many ends at once are told one after the other, at the isolation of the app's own connections", async (t) => {
  const orm = await ownOrm(t)
  const { app, post, get, signUp, signIn } = await on(t, orm)
  await signUp()
  const sessions = await Promise.all(Array.from({ length: 20 }, () => signIn()))
  const ends = sessions.map(({ refresh_token: token, access_token: access }, index) =>
    index % 2
      ? post('/auth/logout', { refresh_token: token })
      : app.inject({
        method: 'DELETE',
        url: '/auth/sessions?keep=current',
        headers: { authorization: `Bearer ${access}` },
      })
  )
  t.ok((await Promise.all(ends)).every(({ statusCode }) => statusCode === 204 || statusCode === 401))
  const log = await orm.em.getConnection().execute('select revision from accounts_revoked_tokens order by revision')
  t.same(log.map(({ revision }: { revision: number }) => revision), log.map((_: unknown, index: number) => index + 1))
  t.equal(
    (await Promise.all(sessions.map(({ access_token: token }) => get('/guarded', token)))).filter(
      ({ statusCode }) => statusCode === 200
    ).length <= 1,
    true
  )
})

t.test('accounts of another name have their own tables, also where the app knows the users of the first', async (t) => {
  const orm = await ownOrm(t, { entities: [...entities, StallSchema] })
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(accounts, { orm, secret, password: cheap })
  await app.register(accounts, { orm, secret, password: cheap, name: 'admins', prefix: '/admin' })
  const { post, signUp } = client(app)
  const { user } = await signUp()
  t.not((await post('/admin/register', { username: 'ada', password })).json().user.id, user.id)
  for (const name of ['accounts', 'admins']) { t.match(await orm.em.getConnection().execute(`select username from ${name}_users`), [{ username: 'ada' }]) }
  t.equal(await orm.em.fork().count(User), 1)
})

t.test(
  'a schema that the app has chosen holds our tables too, also beside one whose name differs in case alone',
  async (t) => {
    const database = await freshDatabase(t)
    for (const schema of { sqlite: ['main'], postgresql: ['shop', 'Shop'], mariadb: [undefined] }[kind]) {
      const orm = await ownOrm(t, schema ? { schema } : {}, database)
      if (kind === 'postgresql') await orm.em.getConnection().execute(`create schema "${schema}"`)
      await works(t, await on(t, orm))
      const quoted = kind === 'postgresql' ? `"${schema}".` : ''
      t.match(await orm.em.getConnection().execute(`select username from ${quoted}accounts_users`), [
        { username: 'ada' },
      ])
      t.match(await (await on(t, orm)).signIn(), { user: { username: 'ada' } })
    }
  }
)

t.test(
  ...notEverywhere('statements that the app prepares on the connection of the accounts stay its own'),
  async (t) => {
    const { app, signUp, signIn } = await build(t)
    await signUp()
    const connection = app.accounts.orm.em.getConnection() as SqliteConnection
    const client = (await connection.getNativeClient()) as Database.Database
    const text = 'select username from accounts_users'
    t.equal(client.prepare(text).pluck().get(), 'ada')
    t.same(await connection.execute(text), [{ username: 'ada' }])
    t.same([...client.prepare(text).iterate()], client.prepare(text).all())
    t.match(await signIn(), { user: { username: 'ada' } })
  }
)

t.test('an app that lets its MikroORM tell the queries hears none of ours', async (t) => {
  const lines: string[] = []
  const orm = await ownOrm(t, {
    entities: [...entities],
    debug: ['query', 'query-params'],
    colors: false,
    logger: (line) => {
      lines.push(line)
    },
  })
  const { signUp, refresh } = await on(t, orm)
  await refresh((await signUp()).refresh_token)
  const ours = () => lines.filter((line) => /accounts_(users|sessions|revoked|revision)/.test(line))
  t.same(ours(), [])
  await orm.em.fork().count(User)
  t.match(ours(), [/accounts_users/])
})

t.test("with schema 'none' the app makes the tables, and without them it does not start", async (t) => {
  t.match(
    await refusal(t, { db: await freshDatabase(t), schema: 'none' }),
    /^ACCOUNTS_OPTIONS_INVALID: .*db \(or ACCOUNTS_DATABASE_URL\) cannot be used, .*accounts_revision/
  )
  const orm = await ownOrm(t, { entities: [...entities, StallSchema], schemaGenerator: {} })
  t.match(
    await refusal(t, { orm, schema: 'none' }),
    /^ACCOUNTS_OPTIONS_INVALID: .*orm cannot be used: .*accounts_revision/
  )
  await orm.schema.create()
  await works(t, await on(t, orm, { schema: 'none' }))
  t.match(await (await on(t, orm, { schema: 'none' })).signIn(), { user: { username: 'ada' } })
})

t.test('tables of another version are told at the start, by name, also where somebody else makes them', async (t) => {
  const db = await freshDatabase(t)
  await (await openDatabase({ db, name: 'accounts' })).close()
  const sql = open(db)
  t.teardown(sql.close)
  await sql.exec('drop table accounts_throttle; alter table accounts_sessions drop column user_agent; ')
  for (const schema of ['none', 'migrate']) {
    t.match(
      await refusal(t, { db, schema }),
      /cannot be used, [^ ]+: accounts_sessions\.user_agent, accounts_throttle cannot be read: /
    )
  }
})

t.test(
  'a MikroORM that would drop our tables keeps the app from starting, and is told which line keeps them',
  async (t) => {
    const line = (name: string) =>
      new RegExp(`: give it the option schemaGenerator: \\{ skipTables: \\[/\\^${name}_/\\] \\}$`)
    const all =
      'accounts_users, accounts_sessions, accounts_revoked_tokens, accounts_revision, accounts_throttle, accounts_recovery_codes, accounts_totp, accounts_passkeys, accounts_identities, accounts_keys, accounts_events, accounts_unique_fields, accounts_one_time, accounts_mails, accounts_spent, accounts_seals, accounts_migrations'
    const dropping = async (options: Partial<Options>, given: AccountsOptions = {}) =>
      refusal(t, { orm: await ownOrm(t, options), ...given })
    for (const schemaGenerator of [{}, { skipTables: [] }, { skipTables: ['shops', /^admins_/] }]) {
      const told = await dropping({ schemaGenerator })
      t.match(
        told,
        `ACCOUNTS_OPTIONS_INVALID: fastify-jwt-accounts cannot start: orm.schema.update() of your MikroORM would drop ${all}: `
      )
      t.match(told, line('accounts'))
    }
    t.match(await dropping({ schemaGenerator: { skipTables: [/^accounts_(?!users)/] } }), /would drop accounts_users: /)
    t.match(await dropping({ schemaGenerator: { skipTables: [/^accounts_/] } }, { name: 'admins' }), line('admins'))
    t.match(await dropping({ schemaGenerator: {} }, { schema: 'none' }), /would drop accounts_users, /)
    t.match(await dropping({ schemaGenerator: {}, entities: [...entities] }), /would drop accounts_migrations: /)
    t.equal(await dropping({ schemaGenerator: { skipTables: all.toUpperCase().split(', ') } }), 'nothing')
  }
)

t.test('an app that brings its tables up to date at each start leaves the accounts as they are', async (t) => {
  for (const known of [[ShopSchema], [...entities, StallSchema]]) {
    const db = await freshDatabase(t)
    const start = async () => {
      // Ours are compared byte by byte: on MariaDB a column that refers to them is to be so, too.
      const orm = await ownOrm(t, { entities: known, ...kind === 'mariadb' && { collate: 'utf8mb4_bin' } }, db)
      const built = await on(t, orm)
      await orm.schema.update()
      return built
    }
    const { app, signUp } = await start()
    await signUp()
    await app.close()
    t.match(await (await start()).signIn(), { user: { username: 'ada' } })
  }
})

t.test(
  ...notEverywhere('tables that a MikroORM of the app has made before us are told, with both ways out'),
  async (t) => {
    const db = await freshDatabase(t)
    await (await ownOrm(t, { entities: [...entities], schemaGenerator: {} }, db)).schema.update()
    const told = await refusal(t, { orm: await ownOrm(t, { entities: [...entities] }, db) })
    t.match(
      told,
      /^ACCOUNTS_OPTIONS_INVALID: .*orm cannot be used: .*accounts_users"? already exists, and our migrations have not made it/
    )
    t.match(told, /the option schema is 'none'.*schemaGenerator: \{ skipTables: \[\/\^accounts_\/\] \}/)
    await works(
      t,
      await on(t, await ownOrm(t, { entities: [...entities], schemaGenerator: {} }, db), { schema: 'none' })
    )
  }
)

t.test('a database that the environment names is no matter where a MikroORM is given', async (t) => {
  process.env.ACCOUNTS_DATABASE_URL = 'mongodb://localhost/app'
  t.teardown(() => { delete process.env.ACCOUNTS_DATABASE_URL })
  await works(t, await on(t, await ownOrm(t)))
})

t.test('what is no MikroORM, or none that will do, keeps the app from starting', async (t) => {
  const orm = await ownOrm(t)
  const some = await ownOrm(t, { entities: [User] })
  const perRequest = await ownOrm(t)
  perRequest.config.set('sessionContext', 'connection')
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => ({ ...result, rows: [] }),
  }
  const renaming = await ownOrm(t)
  await renaming.connect()
  const connection = renaming.em.getConnection() as SqliteConnection
  const client = connection.getClient().withPlugin(plugin)
  connection.getClient = () => client
  class MongoDriver {}
  const mongo = { em: { getDriver: () => new MongoDriver() }, config: {}, getMetadata () {} }
  const refused: [options: object, why: RegExp][] = [
    ...[5, null, 'orm', true].map((orm): [object, RegExp] => [
      { orm },
      /orm must be a MikroORM, or a function that gives one/,
    ]),
    ...[{}, { em: orm.em }, () => undefined, async () => null].map((orm): [object, RegExp] => [
      { orm },
      /orm must be a MikroORM, or a function that gives one/,
    ]),
    [{ orm, db: 'accounts.sqlite' }, /orm and db are two ways to one thing/],
    [{ orm: some }, /orm knows some of our entities and not all/],
    [
      { orm: perRequest },
      /its sessionContext is 'connection', so that who asks decides which tables and rights our statements meet/,
    ],
    [{ orm: renaming }, /its Kysely has plugins, which change what our statements read/],
    [{ orm: mongo }, /orm must have one of these drivers: SqliteDriver, PostgreSqlDriver/],
    [
      {
        orm () {
          throw new Error('not today')
        },
      },
      /orm cannot be used: not today/,
    ],
    [{ schema: 'update' }, /schema must be one of migrate, none/],
  ]
  for (const [options, why] of refused) t.match(await refusal(t, options), why)
})

for (const [which, known] of [['beside an app', []], ['known to an app', entities]] as const) {
  t.test(
    `what is done in a transaction of the app's holds when that is committed, and not before: ${which}`,
    async (t) => {
      const orm = await ownOrm(t, { entities: [...known, ShopSchema] })
      await orm.em.getConnection().execute('create table shops (id int primary key, title varchar(255) not null)')
      const { app, signUp, get } = await on(t, orm)
      const {
        access_token: token,
        user: { id },
      } = await signUp()
      const shop = (number: number) => async (em: EntityManager) => {
        await em.insert(ShopSchema, { id: number, title: 'Ada & Co.' })
        await app.accounts.sessions.revokeAll(id, { em })
        await app.accounts.users.setRoles(id, ['owner'], { em })
      }
      await t.rejects(
        orm.em.fork().transactional(async (em) => {
          await shop(1)(em)
          throw new Error('rolled back')
        }),
        { message: 'rolled back' }
      )
      t.match((await get('/guarded', token)).json(), { user: { roles: [] } })

      await orm.em.fork().transactional(shop(2))
      t.match((await get('/guarded', token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
      t.match([await app.accounts.users.find(id), await orm.em.fork().count(ShopSchema)], [{ roles: ['owner'] }, 1])
    }
  )

  t.test(
    `what is done in a savepoint holds when all around it is committed, and not when any of it is rolled back: ${which}`,
    async (t) => {
      const orm = await ownOrm(t, { entities: [...known, ShopSchema] })
      const { app, signUp, signIn, get } = await on(t, orm)
      await signUp()
      for (const [inner, outer, statusCode] of [
        ['kept', 'kept', 401],
        ['kept', 'given up', 200],
        ['given up', 'kept', 200],
      ] as const) {
        const { access_token: token } = await signIn()
        const orGiveUp = (what: string) => {
          if (what === 'given up') throw new Error(what)
        }
        await orm.em
          .fork()
          .transactional(async (em) => {
            await em
              .transactional(async (savepoint) => {
                await app.accounts.sessions.revoke(decode(token).payload.sid, { em: savepoint })
                orGiveUp(inner)
              })
              .catch(() => {})
            t.equal(kind === 'sqlite' ? 200 : (await get('/guarded', token)).statusCode, 200, 'not before the end')
            orGiveUp(outer)
          })
          .catch(() => {})
        t.equal((await get('/guarded', token)).statusCode, statusCode, `${inner} within ${outer}`)
      }
    }
  )

  t.test(`onRegister works on the app's own entities, and what it revokes holds at once: ${which}`, async (t) => {
    const orm = await ownOrm(t, { entities: [...known, ShopSchema] })
    await orm.em.getConnection().execute('create table shops (id int primary key, title varchar(255) not null)')
    const { app, signUp, get } = await on(t, orm, {
      hooks: {
        onRegister: async (em, { username }) => {
          await em.insert(ShopSchema, { id: 1, title: `${username} & Co.` })
          if (username === 'bob') await app.accounts.sessions.revokeAll(ada.user.id, { em })
          if (username === 'eve') throw Object.assign(new Error('not you'), { statusCode: 403 })
        },
      },
    })
    const shops = () => orm.em.fork().find(ShopSchema, {})
    t.match(await signUp('eve'), { statusCode: 403, message: 'not you' })
    t.same(await shops(), [])
    const ada = await signUp('ada')
    t.match(await shops(), [{ title: 'ada & Co.' }])
    await orm.em.fork().nativeDelete(ShopSchema, {})
    t.equal((await get('/guarded', ada.access_token)).statusCode, 200)
    await signUp('bob')
    t.equal((await get('/guarded', ada.access_token)).statusCode, 401)
  })
}

t.test("a transaction of the app's may end all sessions of a user but one", async (t) => {
  const orm = await ownOrm(t)
  const { app, signUp, signIn, get } = await on(t, orm)
  const kept = await signUp()
  const other = await signIn()
  await orm.em
    .fork()
    .transactional((em) =>
      app.accounts.sessions.revokeAll(kept.user.id, { em, except: decode(kept.access_token).payload.sid })
    )
  t.same(
    [(await get('/guarded', kept.access_token)).statusCode, (await get('/guarded', other.access_token)).statusCode],
    [200, 401]
  )
})

t.test(
  ...notEverywhere("a transaction of the app's ends also the sessions that began after it had looked"),
  async (t) => {
    const orm = await ownOrm(t, { entities: [...entities, StallSchema] })
    const { app, signUp, signIn, get } = await on(t, orm)
    const kept = await signUp()
    const late = await orm.em.fork().transactional(async (em) => {
      await em.count(Session)
      const tokens = await signIn()
      await app.accounts.sessions.revokeAll(kept.user.id, { em, except: decode(kept.access_token).payload.sid })
      return tokens
    })
    for (const path of ['/guarded', '/strict']) t.equal((await get(path, late.access_token)).statusCode, 401)
    t.equal((await get('/guarded', kept.access_token)).statusCode, 200)
  }
)

t.test(...notEverywhere("nothing of ours joins a transaction of the app's unasked"), async (t) => {
  const orm = await ownOrm(t, { entities: [...entities, StallSchema] })
  const { app, signUp } = await on(t, orm)
  const { user } = await signUp()
  await t.rejects(orm.em.fork().transactional(async (em) => {
    await em.count(User)
    await app.accounts.issueTokens(user.id)
    throw new Error('rolled back')
  }))
  t.equal(await orm.em.fork().count(Session), 2)
})

t.test(...notEverywhere('what decides is never read from a replica'), async (t) => {
  const behind = await freshDatabase(t)
  await (await openDatabase({ db: behind, name: 'accounts' })).close()
  const replicas = [{ dbName: behind.includes('://') ? new URL(behind).pathname.slice(1) : behind }]
  for (const known of [entities, [ShopSchema]]) {
    const orm = await ownOrm(t, { entities: known, replicas })
    await works(t, await on(t, orm))
    t.equal(await orm.em.getConnection('read').execute('select * from accounts_users').then((rows) => rows.length), 0)
  }
})

t.test('a process that only works beside others opens a database whose tables are there', async (t) => {
  const db = await freshDatabase(t)
  const first = await openDatabase({ db, name: 'accounts' })
  t.teardown(first.close)
  const { run, close } = await openDatabase({ db, name: 'accounts', schema: 'none' })
  t.teardown(close)
  t.equal(await run((em) => em.count(User)), 0)
})
