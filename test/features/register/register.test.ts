// On each database.
import t from 'tap'
import { build, buildOnFile, client, password } from '../../support/build.ts'
import { forgetForeignKeys, type Sql } from '../../support/databases.ts'
import { fastHasher } from '../../../lib/testing.ts'
type Post = ReturnType<typeof client>['post']

const count = async (sql: Sql, table = 'users'): Promise<number> =>
  (await sql.get(`select count(*) as n from accounts_${table}`))!.n
const register = (post: Post, body: object) => post('/auth/register', { password, ...body })
const login = (post: Post, body: object) => post('/auth/login', { password, ...body })

t.test('a new database has no users and no sessions', async (t) => {
  const { sql } = await buildOnFile(t)
  for (const table of ['users', 'sessions', 'revoked_tokens']) t.equal(await count(sql, table), 0)
})

t.test('an answer shows of a user what everybody may know, and nothing else', async (t) => {
  const { post, get } = await build(t)
  const user = { username: 'ada', email: 'ada@example.com', email_verified: false, roles: [] }
  const registered = (await register(post, { username: 'ada', email: 'ada@example.com' })).json()
  const loggedIn = (await login(post, { username: 'ada' })).json()
  const me = (await get('/auth/me', loggedIn.access_token)).json()

  for (const { id, ...shown } of [registered.user, loggedIn.user, me]) {
    t.equal(id, registered.user.id)
    t.strictSame(shown, user)
  }
  const keys = ['access_token', 'expires_in', 'refresh_expires_in', 'refresh_token', 'token_type', 'user']
  for (const answer of [registered, loggedIn]) t.strictSame(Object.keys(answer).sort(), keys)
  t.strictSame((await register(post, { username: 'bob' })).json().user.email, null)
})

t.test('a name or an address signs in however it is typed', async (t) => {
  const { post } = await build(t)
  await register(post, { username: 'Ada Lovelace', email: 'Ada@Bücher.example' })
  const typed = [
    'Ada Lovelace', 'ada lovelace', 'ADA LOVELACE', ' ada lovelace\n', 'Ａｄａ　Ｌｏｖｅｌａｃｅ', 'Ada@Bücher.example',
    'ada@bücher.example', 'ADA@BÜCHER.EXAMPLE', 'ada@xn--bcher-kva.example', ' ada＠bücher.example ',
    'ada@bu\u0308cher.example',
  ]
  for (const username of typed) {
    t.equal((await login(post, { username })).json().user?.username, 'Ada Lovelace', JSON.stringify(username))
    t.equal((await login(post, { username, password: `${password}!` })).statusCode, 401)
  }
  for (const username of ['ada', 'adalovelace', 'bücher.example', 'ada@example', '@bücher.example', 'ada@bucher.de']) {
    t.equal((await login(post, { username })).statusCode, 401, username)
  }
})

t.test('of twenty who register one name or address at once, one gets it', async (t) => {
  const many = Array.from({ length: 20 }, (_, index) => index)
  const races: [what: string, body: (index: number) => object][] = [
    ['a name', () => ({ username: 'ada' })],
    ['a name in several spellings', (index) => ({ username: index % 2 ? 'Ada' : 'ａＤＡ' })],
    ['an address', (index) => ({ username: `user-${index}`, email: index % 2 ? 'ada@x.com' : 'ADA@X.com' })],
  ]

  for (const [what, body] of races) {
    const { sql, post } = await buildOnFile(t)
    const answers = await Promise.all(many.map((index) => register(post, body(index))))
    const codes = answers.map((answer) => answer.json().code ?? answer.statusCode)
    t.strictSame(codes.toSorted(), [201, ...Array(19).fill('ACCOUNTS_USER_EXISTS')], what)
    const fields = answers.flatMap((answer) => answer.json().field ?? [])
    t.strictSame(fields, Array(19).fill(what === 'an address' ? 'email' : 'username'), 'and says which of both')
    t.strictSame([await count(sql), await count(sql, 'sessions')], [1, 1])
  }
})

t.test('a registration that is refused leaves nothing behind', async (t) => {
  const { sql, post } = await buildOnFile(t)
  await register(post, { username: 'ada', email: 'ada@example.com' })
  const refused = { statusCode: 409, code: 'ACCOUNTS_USER_EXISTS', error: 'Conflict' }

  const bob = { ...refused, message: 'The username is taken', field: 'username' }
  t.strictSame((await register(post, { username: 'Ada', email: 'bob@example.com' })).json(), bob)
  t.strictSame(
    (await register(post, { username: 'Ada', email: 'ADA@example.com' })).json(),
    bob,
    'and of both the name'
  )
  t.strictSame((await register(post, { username: 'bob', email: 'ada@example.com' })).json(), {
    ...refused,
    message: 'The email is taken',
    field: 'email',
  })
  t.strictSame([await count(sql), await count(sql, 'sessions')], [1, 1])
  t.equal((await register(post, { username: 'bob', email: 'bob@example.com' })).statusCode, 201)
})

t.test('where people sign in with an address only, there are no names', async (t) => {
  const { post } = await build(t, { identifiers: ['email'] })
  const { user } = (await register(post, { email: 'ada@example.com' })).json()
  t.match(user, { username: null, email: 'ada@example.com' })
  t.equal((await login(post, { email: 'ADA@example.com' })).statusCode, 200)

  const refused: [route: typeof login, body: object, message: string][] = [
    [register, { email: 'bob@example.com', username: 'bob' }, 'body/username is not a known field'],
    [register, {}, "body must have required property 'email'"],
    [login, { email: 'ada@example.com', username: 'ada' }, 'body/username is not a known field'],
    [login, {}, "body must have required property 'email'"],
  ]
  for (const [route, body, message] of refused) {
    t.match((await route(post, body)).json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID', message })
  }
})

t.test('where people sign in with a name only, there are no addresses', async (t) => {
  const { post } = await build(t, { identifiers: ['username'] })
  t.match((await register(post, { username: 'ada' })).json(), { user: { username: 'ada', email: null } })
  t.equal((await login(post, { username: 'ADA' })).statusCode, 200)

  const refused: [route: typeof login, body: object, message: string][] = [
    [register, { username: 'bob', email: 'bob@example.com' }, 'body/email is not a known field'],
    [register, {}, "body must have required property 'username'"],
    [login, { username: 'ada', email: 'ada@example.com' }, 'body/email is not a known field'],
  ]
  for (const [route, body, message] of refused) {
    t.match((await route(post, body)).json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID', message })
  }
})

t.test('a user who is deleted while the password is checked is not signed in', async (t) => {
  const { sql, post } = await buildOnFile(t, {
    password: {
      hasher: {
        ...fastHasher,
        verify: async () => {
          await sql.exec('delete from accounts_users')
          return true
        },
      },
    },
  })
  await register(post, { username: 'ada' })
  t.match((await login(post, { username: 'ada' })).json(), { statusCode: 401, code: 'ACCOUNTS_CREDENTIALS_INVALID' })
  t.equal(await count(sql, 'sessions'), 0)
})

t.test('what people do not sign in with opens no account that has it', async (t) => {
  const { db, post } = await buildOnFile(t)
  await register(post, { username: 'ada', email: 'ada@example.com' })

  const byEmail = await build(t, { db, identifiers: ['email'] })
  t.equal((await login(byEmail.post, { email: 'ada@example.com' })).statusCode, 200)
  t.equal((await login(byEmail.post, { email: 'ada' })).statusCode, 401)

  const byName = await build(t, { db, identifiers: ['username'] })
  t.equal((await login(byName.post, { username: 'ada' })).statusCode, 200)
  t.equal((await login(byName.post, { username: 'ada@example.com' })).statusCode, 401)
})

const unknown = [
  'id', 'roles', 'role', 'isAdmin', 'is_admin', 'admin', 'passwordHash', 'password_hash', 'createdAt', 'created_at',
  'epoch', 'ver', 'emailVerified', 'emailVerifiedAt', 'email_verified_at', 'disabledAt', 'disabled_at', 'profile',
  'usernameKey', 'username_key', 'user', 'userId', 'sub', 'Username', 'toString', 'hasOwnProperty', 'constructor',
  'x y', '', '$where',
]

t.test('a field that is not asked for is refused by name, and nothing of it is stored', async (t) => {
  const { sql, post, signUp } = await buildOnFile(t)
  await signUp()
  const before = await sql.all('select * from accounts_users')

  for (const field of unknown) {
    for (const value of ['admin', null]) {
      const message = `body/${field} is not a known field`
      const refused = { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID', error: 'Bad Request', message }
      t.strictSame((await register(post, { username: 'eve', [field]: value })).json(), refused)
      t.strictSame((await login(post, { username: 'ada', [field]: value })).json(), refused)
    }
  }
  t.strictSame(await sql.all('select * from accounts_users'), before)
  t.equal(await count(sql, 'sessions'), 1)
})

t.test('a field\'s name is not sent back at any length', async (t) => {
  const { post } = await build(t)
  const { statusCode, message } = (await register(post, { username: 'ada', ['x'.repeat(10_000)]: 1 })).json()
  t.equal(statusCode, 400)
  t.equal(message, `body/${'x'.repeat(64)} is not a known field`)
})

t.test('a body cannot touch a prototype', async (t) => {
  const { sql, app } = await buildOnFile(t)
  const attacks = [
    '"__proto__":{"isAdmin":true}', '"__proto__":null', '"\\u005f_proto__":{"isAdmin":true}', '"constructor":1',
    '"constructor":{"prototype":{"isAdmin":true}}', '"prototype":{"isAdmin":true}',
  ]
  for (const attack of attacks) {
    for (const route of ['register', 'login']) {
      const answer = await app.inject({
        method: 'POST',
        url: `/auth/${route}`,
        headers: { 'content-type': 'application/json' },
        payload: `{"username":"ada","password":"${password}",${attack}}`,
      })
      t.match(answer.json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' }, attack)
    }
  }
  t.notOk('isAdmin' in {})
  t.equal(await count(sql), 0)
})

t.test('a name and an address are texts and nothing else', async (t) => {
  const { sql, post } = await buildOnFile(t)
  const byEmail = await build(t, { identifiers: ['email'] })
  const noTexts = [{ $ne: null }, { $gt: '' }, { $like: '%' }, {}, [], ['ada'], [['ada']], 0, 1, true, false, null]

  for (const value of noTexts) {
    const answers: [field: string, answer: ReturnType<Post>][] = [
      ['username', register(post, { username: value })],
      ['username', login(post, { username: value })],
      ['email', register(post, { username: 'ada', email: value })],
      ['email', register(byEmail.post, { email: value })],
      ['email', login(byEmail.post, { email: value })],
    ]
    for (const [field, answer] of answers) {
      const refused = { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID', message: `body/${field} must be string` }
      t.match((await answer).json(), refused, JSON.stringify(value))
    }
  }
  t.equal(await count(sql), 0)
})

t.test('no text in any field makes the server fail', async (t) => {
  const { post } = await build(t)
  const texts = ['\0', 'a\0b', '\ud800', 'a\udc00b', '\ud800'.repeat(20), '\uffff', '\u{10ffff}', '%00', "'", '\n']
  const fields: [route: string, body: (text: string) => object][] = [
    ['register', (text) => ({ username: text, password })],
    ['register', (text) => ({ username: `ada ${text}`, password })],
    ['register', (text) => ({ username: 'eve', email: `${text}@example.com`, password })],
    ['register', (text) => ({ username: 'eve', email: `eve@${text}.com`, password })],
    ['register', (text) => ({ username: 'eve', password: `${password}${text}` })],
    ['register', (text) => ({ username: 'eve', password, [text]: text })],
    ['login', (text) => ({ username: text, password })],
    ['login', (text) => ({ username: `${text}@${text}`, password })],
    ['login', (text) => ({ username: 'ada', password: text })],
    ['login', (text) => ({ username: 'ada', password, [text]: text })],
    ['refresh', (text) => ({ refresh_token: text })],
    ['refresh', (text) => ({ [text]: text })],
    ['logout', (text) => ({ refresh_token: text })],
  ]

  for (const [route, body] of fields) {
    for (const text of texts) {
      const { statusCode } = await post(`/auth/${route}`, body(text))
      t.ok(statusCode < 500, `${route} ${encodeURI(JSON.stringify(body(text)))}: ${statusCode}`)
    }
  }
})

t.test('who takes a name that was deleted does not get what was the former owner\'s', async (t) => {
  for (const foreignKeysHold of [true, false]) {
    const { sql, get, signUp, signIn, refresh } = await buildOnFile(t)
    const former = await signUp('ada')
    if (!foreignKeysHold) await forgetForeignKeys(sql)
    await sql.exec('delete from accounts_users')
    t.match(await signIn('ada'), { code: 'ACCOUNTS_CREDENTIALS_INVALID' })
    const owner = await signUp('ada')

    t.not(owner.user.id, former.user.id)
    t.match((await get('/auth/me', former.access_token)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' })
    t.match((await refresh(former.refresh_token)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_REVOKED' })
    t.equal((await get('/auth/me', owner.access_token)).json().id, owner.user.id)
  }
})
