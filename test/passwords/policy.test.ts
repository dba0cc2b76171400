import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../lib/index.ts'
import { build, buildOnFile, password as usual } from '../build.ts'

/** An app, and a way to register a new user and to sign in as the last one. */
async function open (t: Test, lengths: AccountsOptions['password'] = {}) {
  const argon2 = { memoryCost: 1024, timeCost: 1 }
  const built = await build(t, { password: { argon2, ...lengths } })
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
    'x'.repeat(15), 'x'.repeat(64), 'x'.repeat(256), ' '.repeat(15), '1'.repeat(15), usual,
    '🙂'.repeat(15), '🙂'.repeat(64), '🙂'.repeat(256), 'é'.repeat(15), 'e\u0301'.repeat(256), '𝔘'.repeat(256),
    'пароль из трёх слов', '正しい馬電池ホチキスの針ですよね', 'כף רגל של סוס נכון', '👩‍🚀👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦', '\ufffd'.repeat(15),
    '"\'\\`$(){};--<>&%00\\0', "' OR 1=1; --      ", '\u00a0'.repeat(15),
    '\u200bzero-width-space', '\u202eright-to-left-text',
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
