import argon2 from 'argon2'
import t, { type Test } from 'tap'
import type { AccountsOptions, PasswordHasher } from '../../../lib/index.ts'
import { fastHasher } from '../../../lib/testing.ts'
import { build, buildOnFile, password as usual } from '../../support/build.ts'

/**
 * An app that asks for length alone, unless told otherwise, and a way to register a new user and to sign in as the last
 * one.
 */
async function open (t: Test, rules: AccountsOptions['password'] = {}) {
  const argon2 = { memoryCost: 1024, timeCost: 1 }
  const built = await build(t, { password: { argon2, blocklist: false, ...rules } })
  let users = 0
  return {
    ...built,
    register: (password: unknown) => built.post('/auth/register', { username: `user-${++users}`, password }),
    login: (password: unknown) => built.post('/auth/login', { username: `user-${users}`, password }),
  }
}

const tooShort = 'The password must have at least 15 characters'
const tooLong = 'The password must have at most 256 characters'
const unprintable = 'The password must not hold control characters'

t.test('a password of 15 to 256 characters is accepted, of whatever kind, and signs in', async (t) => {
  const { register, login } = await open(t)
  const accepted = [
    'x'.repeat(15),
    'x'.repeat(64),
    'x'.repeat(256),
    ' '.repeat(15),
    '1'.repeat(15),
    usual,
    '🙂'.repeat(15),
    '🙂'.repeat(64),
    '🙂'.repeat(256),
    'é'.repeat(15),
    'e\u0301'.repeat(256),
    '𝔘'.repeat(256),
    'пароль из трёх слов',
    '正しい馬電池ホチキスの針ですよね',
    'כף רגל של סוס נכון',
    '👩‍🚀👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦',
    '\ufffd'.repeat(15),
    '"\'\\`$(){};--<>&%00\\0',
    "' OR 1=1; --      ",
    '\u00a0'.repeat(15),
    '\u200bzero-width-space',
    '\u202eright-to-left-text',
  ]

  for (const password of accepted) {
    t.equal((await register(password)).statusCode, 201, JSON.stringify(password.slice(0, 20)))
    t.equal((await login(password)).statusCode, 200)
    t.equal((await login(`${password}x`)).statusCode, 401)
    t.equal((await login(password.slice(1))).statusCode, 401)
  }
})

t.test('a password that is too short, too long or unprintable is rejected, saying why', async (t) => {
  const { register, login } = await open(t)
  const rejected: [password: string, message: string][] = [
    ['', tooShort], ['x', tooShort], ['x'.repeat(14), tooShort], ['🙂'.repeat(14), tooShort],
    ['e\u0301'.repeat(14), tooShort], ['x'.repeat(257), tooLong], ['🙂'.repeat(257), tooLong],
    ['x'.repeat(16_000), tooLong],
    ...['\0', '\t', '\n', '\r\n', '\x1b', '\x7f', '\x85', '\ud800', '\udc00'].flatMap((bad): [string, string][] => [
      [`${usual}${bad}`, unprintable], [`${bad}${usual}`, unprintable], [usual.replace(' ', bad), unprintable],
    ]),
    ['\udc00'.repeat(15), unprintable],
  ]

  for (const [password, message] of rejected) {
    const refused = { statusCode: 400, code: 'ACCOUNTS_PASSWORD_REJECTED', error: 'Bad Request', message }
    t.strictSame((await register(password)).json(), refused, JSON.stringify(password.slice(0, 40)))
    t.equal((await login(password)).statusCode, 401, 'and there is no such user')
  }
})

t.test(
  'a new password holds nothing that another version of Unicode may normalise otherwise, and an old one still signs in',
  async (t) => {
    const { app, register, post } = await open(t)
    for (const character of ['\u0378', '\ufdd0', '\u{1fffe}']) {
      const refused = {
        statusCode: 400,
        code: 'ACCOUNTS_PASSWORD_REJECTED',
        message: 'The password must not hold characters that are not assigned in Unicode',
      }
      t.match((await register(`${usual}${character}`)).json(), refused)
    }

    const old = `${usual} \u0378\ufdd0`
    const { id } = await app.accounts.users.create({
      username: 'ada',
      passwordHash: await argon2.hash(old, { memoryCost: 1024, timeCost: 1, parallelism: 1 }),
    })
    t.equal((await post('/auth/login', { username: 'ada', password: old })).statusCode, 200)
    t.equal((await app.accounts.users.verifyPassword(id, old))?.id, id)
  }
)

t.test('the lengths are options', async (t) => {
  const { register } = await open(t, { minLength: 8, maxLength: 64 })
  for (const length of [8, 64]) t.equal((await register('x'.repeat(length))).statusCode, 201)
  t.equal((await register('x'.repeat(7))).json().message, 'The password must have at least 8 characters')
  t.equal((await register('x'.repeat(65))).json().message, 'The password must have at most 64 characters')
})

t.test('the longest password there can be fits, however its JSON is written', async (t) => {
  const { app, login } = await open(t, { maxLength: 1024 })
  const escaped = `{"username":"user-0","password":"${'\\ud83d\\ude42'.repeat(1024)}"}`
  const headers = { 'content-type': 'application/json' }
  t.equal((await app.inject({ method: 'POST', url: '/auth/register', headers, payload: escaped })).statusCode, 201)
  t.equal((await login('🙂'.repeat(1024))).statusCode, 200)
})

t.test('two ways to type the same characters are one password', async (t) => {
  const { register, login } = await open(t)
  const spellings = [
    ['crème brûlée à la carte', 'creme bru\u0302le\u0301e a\u0300 la carte'.replace('creme', 'cre\u0300me')],
    [usual, 'ｃｏｒｒｅｃｔ　ｈｏｒｓｅ　ｂａｔｔｅｒｙ　ｓｔａｐｌｅ'],
    [usual, usual.replaceAll(' ', '\u00a0')],
    ['Ångström and so forth', '\u212bngstro\u0308m and so forth'],
    ['한국어 비밀번호는 이렇게 씁니다', '한국어 비밀번호는 이렇게 씁니다'.normalize('NFD')],
  ]

  for (const pair of spellings) {
    for (const [first, second] of [pair, pair.toReversed()]) {
      t.equal((await register(first)).statusCode, 201)
      t.equal((await login(first)).statusCode, 200)
      t.equal((await login(second)).statusCode, 200, second!)
    }
  }
})

t.test('every other difference makes another password', async (t) => {
  const { register, login } = await open(t)
  const stored = ` ${usual} `
  t.equal((await register(stored)).statusCode, 201)
  const others = [
    usual, ` ${usual}`, `${usual} `, `  ${usual} `, stored.toUpperCase(), stored.replace('c', 'C'),
    stored.replaceAll(' ', ''), `\t${usual}\t`, `${stored}\0`, `${stored}\n`, `${stored}\u200b`,
    stored.replace('o', 'о'), stored.replace('e', 'é'),
  ]
  for (const other of others) t.equal((await login(other)).statusCode, 401, JSON.stringify(other))
  t.equal((await login(stored)).statusCode, 200)
})

t.test('every byte counts, also after the 72nd', async (t) => {
  const { register, login } = await open(t)
  for (const start of ['x'.repeat(71), 'x'.repeat(72), 'x'.repeat(128), '🙂'.repeat(18), 'x'.repeat(255)]) {
    t.equal((await register(`${start}1`)).statusCode, 201)
    t.equal((await login(`${start}1`)).statusCode, 200)
    for (const other of [`${start}2`, start, `${start}12`]) t.equal((await login(other)).statusCode, 401)
  }
})

t.test('a password is a text and nothing else', async (t) => {
  const { sql, post, signUp } = await buildOnFile(t)
  await signUp()
  const before = await sql.all('select * from accounts_users')
  const noTexts = [123456789012345, 0, true, false, null, [], [usual], {}, { $ne: null }, { length: 20 }]

  for (const route of ['register', 'login']) {
    for (const username of ['ada', 'bob']) {
      for (const password of [...noTexts, undefined]) {
        const answer = await post(`/auth/${route}`, { username, password })
        t.match(answer.json(), {
          statusCode: 400,
          code: 'ACCOUNTS_INPUT_INVALID',
          message: /^body(\/password must be string| must have required property 'password')$/,
        }, `${route} ${JSON.stringify(password)}`)
      }
    }
  }
  t.strictSame(await sql.all('select * from accounts_users'), before)
})

t.test('a body of a megabyte is too large', async (t) => {
  const { sql, post, signUp } = await buildOnFile(t)
  await signUp()
  const mega = 'x'.repeat(1_000_000)
  for (const route of ['register', 'login']) {
    for (const body of [{ username: 'bob', password: mega }, { username: mega, password: usual }]) {
      const answer = await post(`/auth/${route}`, body)
      t.match(answer.json(), { statusCode: 413, code: 'FST_ERR_CTP_BODY_TOO_LARGE' })
    }
  }
  t.equal((await sql.get('select count(*) as users from accounts_users'))!.users, 1)
})

const ada = { username: 'Ada', email: 'ada.lovelace@analytical.example' }
const builtOnNames = 'must not be built on the user name, the e-mail address or a word of this service'

t.test('a rule of the app is asked after ours, about the password as it will be hashed, and by whom', async (t) => {
  const asked: unknown[] = []
  const { post } = await build(t, { password: { check: (...given) => { asked.push(given); return true } } })
  const typed = 'ｃｏｒｒｅｃｔ horse battery staple'
  for (const password of ['short', 'password12345678', 'Ada Lovelace 1815', typed]) { await post('/auth/register', { ...ada, password }) }
  await post('/auth/register', { username: 'bob', password: usual })
  t.strictSame(asked, [[usual, ada], [usual, { username: 'bob', email: null }]])
})

t.test('what the rule of the app says is what the person reads, and anything but true is a no', async (t) => {
  const general = 'must be another one: this one is not allowed here'
  const answers: [answer: unknown, said: string][] = [
    ['must not hold a year', 'must not hold a year'],
    ['must %s <b>"\u00e9"</b>', 'must %s <b>"\u00e9"</b>'],
    ...['', false, undefined, null, 0, 1, {}, [], new Error('no')].map((answer): [unknown, string] => [
      answer,
      general,
    ]),
  ]
  let given: unknown
  const { sql, post } = await buildOnFile(t, { password: { check: () => given as true } })
  for (const [answer, said] of answers) {
    for (given of [answer, Promise.resolve(answer)]) {
      t.strictSame((await post('/auth/register', { ...ada, password: usual })).json(),
        { statusCode: 400, code: 'ACCOUNTS_PASSWORD_REJECTED', error: 'Bad Request', message: `The password ${said}` })
    }
  }
  t.strictSame(await sql.all('select * from accounts_users'), [])
})

t.test('a rule of the app that fails lets no password pass, and tells the client nothing', async (t) => {
  const failures = [
    () => {
      throw new Error('inner secret')
    },
    async () => {
      throw Object.assign(new Error('inner secret'), { statusCode: 400 })
    },
  ]
  for (const check of failures) {
    const { sql, post } = await buildOnFile(t, { password: { check } })
    t.strictSame((await post('/auth/register', { ...ada, password: usual })).json(), {
      statusCode: 500,
      error: 'Internal Server Error',
      message: 'Internal Server Error',
    })
    t.strictSame(await sql.all('select * from accounts_users'), [])
  }
})

t.test('a rule of the app changes nothing of the user by what it does to what it is given', async (t) => {
  const { post } = await build(t, {
    password: {
      check: (_, user) => {
        Object.assign(user, { username: 'eve', email: null })
        return true
      },
    },
  })
  t.match((await post('/auth/register', { ...ada, password: usual })).json().user, ada)
})

t.test('a password is not built on a name, an address or a word of the app', async (t) => {
  const { post } = await build(t, { password: { contextWords: ['Difference Engine', 'ACME', 'Acmeworks'] } })
  const rejected = [
    'Ada Lovelace 1815',
    'ada.lovelace@analytical.example',
    'lovelace, ada lovelace',
    'ADA-LOVELACE-ROCKS',
    '!!analytical!!2024!!',
    'Difference_Engine_1',
    'acme 1 acme 22 acme',
    'engine & lovelace',
    'ＡＤＡ　ＬＯＶＥＬＡＣＥ　１８',
    'acme1234567890abcdefg',
    'acmeworks, acmeworks',
  ]
  for (const password of rejected) {
    const answer = (await post('/auth/register', { ...ada, password })).json()
    t.match(
      answer,
      { statusCode: 400, code: 'ACCOUNTS_PASSWORD_REJECTED', message: `The password ${builtOnNames}` },
      password
    )
  }

  const accepted = [
    'ada wrote the first program',
    'an engine of differing parts',
    'example.com is an example',
    '83749 18273 64554 63',
    'acme1234567890abcdefgh',
    'adacmea adacmea adacmea',
  ]
  for (const [index, password] of accepted.entries()) {
    t.equal(
      (
        await post('/auth/register', {
          ...ada,
          username: `Ada_${index}`,
          email: `ada.lovelace${index}@analytical.example`,
          password,
        })
      ).statusCode,
      201,
      password
    )
  }
  t.match(
    (
      await post('/auth/register', {
        username: 'grace',
        email: 'grace@mail.analytical.example',
        password: '!!analytical!!2024!!',
      })
    ).json(),
    { code: 'ACCOUNTS_PASSWORD_REJECTED' }
  )
  t.equal(
    (await post('/auth/register', { username: 'xy', email: 'z@q.example', password: 'xy xy q z 1234 8' })).statusCode,
    201,
    'words of two characters are in everything'
  )
})

t.test('names of every kind are looked for as they are, and short passwords too', async (t) => {
  const { post } = await build(t, { password: { minLength: 8 } })
  const people: [username: string, password: string][] = [
    ['a.*(b)+?', 'a.*(b)+?12'],
    ['$&$&', '$&$&!$&$&1'],
    ['193746', '2193746852'],
    ['Зоя Иванова', 'зоя_иванова_1'],
    ['🙂🙃😀', '🙂🙃😀1234567'],
    ['q7w2k3d4', 'Q7W2K3D4!'],
  ]
  for (const [username, password] of people) {
    t.match(
      (await post('/auth/register', { username, password })).json(),
      { code: 'ACCOUNTS_PASSWORD_REJECTED', message: `The password ${builtOnNames}` },
      username
    )
    t.equal((await post('/auth/register', { username, password: `${password} quiet river` })).statusCode, 201, username)
  }
})

t.test('the user is known wherever a password is given', async (t) => {
  const { app, post, sql } = await buildOnFile(t)
  const { users } = app.accounts
  const { access_token: token, user: { id } } = (await post('/auth/register', { ...ada, password: usual })).json()
  const before = await sql.all('select * from accounts_users')
  const refused = { statusCode: 400, code: 'ACCOUNTS_PASSWORD_REJECTED', message: `The password ${builtOnNames}` }
  const change = (next: string) =>
    app.inject({
      method: 'PUT',
      url: '/auth/password',
      payload: { current_password: usual, new_password: next },
      headers: { authorization: `Bearer ${token}` },
    })

  t.match((await change('Ada Lovelace 1815')).json(), refused)
  await t.rejects(users.setPassword(id, 'Ada Lovelace 1815'), refused)
  await t.rejects(users.create({ username: 'Grace Hopper', password: 'grace-hopper-1906' }), refused)
  t.strictSame(await sql.all('select * from accounts_users'), before)

  t.equal((await change('grace-hopper-1906')).statusCode, 200, 'who is somebody else')
  await users.setPassword(id, usual)
  await t.rejects(users.setPassword('0191d1f0-0000-7000-8000-000000000000', 'short'), { code: 'ACCOUNTS_NOT_FOUND' })
})

t.test("a password is judged by the names that a transaction of the app's has just given", async (t) => {
  const { app } = await build(t)
  const { users, orm } = app.accounts
  await orm.em.fork().transactional(async (em) => {
    const { id } = await users.create({ username: 'grace', email: 'hopper@navy.example' }, { em })
    await t.rejects(users.setPassword(id, 'hopper-navy-1906', { em }), { code: 'ACCOUNTS_PASSWORD_REJECTED' })
    await users.setPassword(id, usual, { em })
  })
  t.ok(await users.verifyPassword('grace', usual))
})

t.test('who is gone while changing the password is told what a wrong password is told', async (t) => {
  const { app, get, signUp, sql } = await buildOnFile(t)
  const { access_token: token } = await signUp()
  await get('/guarded', token)
  await sql.run('delete from accounts_users')
  const payload = { current_password: usual, new_password: 'another horse another staple' }
  const answer = await app.inject({
    method: 'PUT',
    url: '/auth/password',
    payload,
    headers: { authorization: `Bearer ${token}` },
  })
  t.match(answer.json(), { statusCode: 401, code: 'ACCOUNTS_CREDENTIALS_INVALID' })
})

t.test('a name that is none is refused before its password, and a password before it costs a hash', async (t) => {
  let hashes = 0
  const hasher: PasswordHasher = { ...fastHasher, hash: (text) => { hashes++; return fastHasher.hash(text) } }
  const { post } = await build(t, { password: { hasher } })
  const before = hashes
  t.match((await post('/auth/register', { username: 'a@b', password: 'short' })).json(), {
    code: 'ACCOUNTS_INPUT_INVALID',
  })

  for (const password of ['short', 'password12345678', 'abcabcabcabcabcabc', 'qwertyuiopasdfgh', 'ada ada ada ada 1']) {
    t.match((await post('/auth/register', { username: 'ada', password })).json(), {
      code: 'ACCOUNTS_PASSWORD_REJECTED',
    })
  }
  t.equal(hashes, before)
  t.equal((await post('/auth/register', { username: 'ada', password: usual })).statusCode, 201)
  t.equal(hashes, before + 1)
})
