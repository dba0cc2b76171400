// On each database.
import t, { type Test } from 'tap'
import { build, buildOnFile, password } from '../support/build.ts'
import type { Sql } from '../support/databases.ts'

const count = async (sql: Sql): Promise<number> =>
  (await sql.get('select count(*) as users from accounts_users'))!.users
const stored = async (sql: Sql, column: 'username' | 'email') =>
  (await sql.all(`select ${column} from accounts_users order by created_at, id`)).map((row) => row[column])

/** A text as a test's name, where no character may be invisible or break a line. */
const shown = (text: string) =>
  JSON.stringify(text.slice(0, 80)).replace(/[^ -~]/g, (char) => `\\u{${char.charCodeAt(0).toString(16)}}`)

t.test('a user name is stored in NFKC, without the space around it', async (t) => {
  const { sql, post } = await buildOnFile(t)
  const names: [given: string, stored: string][] = [
    ['ada', 'ada'], ['  Ada Lovelace ', 'Ada Lovelace'], ['\u00a0bea\u3000', 'bea'], ['\tcleo\r\n', 'cleo'],
    ['ｄｏｒａ', 'dora'], ['e\u0301va', '\u00e9va'], ['ﬁona', 'fiona'], ['Ⅷ', 'VIII'], ['李小龙', '李小龙'], ['عمر', 'عمر'],
    ['x', 'x'], ['🙂'.repeat(64), '🙂'.repeat(64)], ['y'.repeat(64), 'y'.repeat(64)], [' '.repeat(99) + 'z', 'z'],
    ['a.b-c_d+e/f', 'a.b-c_d+e/f'], ["' or 1=1 --", "' or 1=1 --"], ['<b>&amp;', '<b>&amp;'], ['o’neill', 'o’neill'],
    ['0', '0'], ['null', 'null'], ['__proto__', '__proto__'], ['constructor', 'constructor'],
  ]

  for (const [given, kept] of names) {
    t.equal((await post('/auth/register', { username: given, password })).json().user?.username, kept, shown(given))
    t.equal((await post('/auth/login', { username: given, password })).json().user?.username, kept)
  }
  t.strictSame(await stored(sql, 'username'), names.map(([, kept]) => kept))
})

const length = 'body/username must have 1 to 64 characters'
const address = 'body/username must not hold an @'
const unseen = 'body/username must not hold control or invisible characters'

const hidden = [
  '\0',
  '\x01',
  '\n',
  '\r\n',
  '\x1b[31m',
  '\x7f',
  '\x85',
  '\u00ad',
  '\u034f',
  '\u061c',
  '\u115f',
  '\u1160',
  '\u17b4',
  '\u180e',
  '\u200b',
  '\u200c',
  '\u200d',
  '\u200e',
  '\u2028',
  '\u2029',
  '\u202e',
  '\u2060',
  '\u2066',
  '\u2800',
  '\u3164',
  '\ufe0f',
  '\ufeff',
  '\uffa0',
  '\ufff9',
  '\ud800',
  '\udfff',
  '\ue000',
  '\u{e0041}',
  '\u{e0100}',
  '\u{f0000}',
]

t.test('a user name that cannot be read, or reads as an address, is refused', async (t) => {
  const { sql, post } = await buildOnFile(t)
  const refused: [name: string, message: string][] = [
    ['', length], [' ', length], ['\u3000\u00a0\t\n', length], ['x'.repeat(65), length], ['🙂'.repeat(65), length],
    ['ﷺ'.repeat(4), length], ['a@b', address], ['@', address], ['ada@x.com', address], ['a＠b', address],
    ['a﹫b', address], ['\u3164', unseen], ['\u202eada', unseen], ['ada\u200b', unseen], ['ada\0', unseen],
    ...hidden.map((character): [string, string] => [`a${character}b`, unseen]),
  ]

  for (const [username, message] of refused) {
    const answer = await post('/auth/register', { username, password })
    t.match(answer.json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID', message }, shown(username))
  }
  t.equal(await count(sql), 0)
})

/** What no version of Unicode will ever assign, and the first that this one has not. */
const unassigned = [
  '\ufdd0',
  '\uffff',
  '\u{1fffe}',
  '\u{10ffff}',
  Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)).find((each) => /\p{Cn}/u.test(each))!,
]

t.test('what another version of Unicode may fold otherwise is in no name and no address', async (t) => {
  const { sql, app, post } = await buildOnFile(t)
  for (const character of unassigned) {
    const refused = { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' }
    const message = 'body/username must not hold characters that are not assigned in Unicode'
    t.match(
      (await post('/auth/register', { username: `a${character}`, password })).json(),
      { ...refused, message },
      shown(character)
    )
    for (const email of [`a${character}@example.com`, `a@exa${character}mple.com`]) {
      t.match((await post('/auth/register', { username: 'ada', email, password })).json(), {
        ...refused,
        message: 'body/email must be an e-mail address',
      })
    }
    await t.rejects(app.accounts.users.create({ username: `a${character}` }), {
      code: 'ACCOUNTS_INPUT_INVALID',
      message,
    })
    t.equal((await post('/auth/login', { username: `a${character}`, password })).statusCode, 401, 'and is nobody')
  }
  t.equal(await count(sql), 0)
})

/** Registers each of two spellings, one after the other: there is one account, and both sign in to it. */
async function areOne (t: Test, field: 'username' | 'email', pairs: [string, string][]) {
  const { sql, post } = await buildOnFile(t)
  for (const [first, second] of pairs) {
    await t.test(`${shown(first)} then ${shown(second)}`, async (t) => {
      await sql.exec('delete from accounts_users')
      await post('/auth/register', { username: 'user-1', password, [field]: first })
      const again = await post('/auth/register', { username: 'user-2', password, [field]: second })
      t.match(again.json(), { statusCode: 409, code: 'ACCOUNTS_USER_EXISTS' })
      t.equal(
        (await post('/auth/login', { username: second, password })).json().user?.[field],
        (await stored(sql, field))[0]
      )
      t.equal(await count(sql), 1)
    })
  }
}

t.test('two spellings of a user name are one name', (t) => areOne(t, 'username', [
  ['ada', 'ADA'], ['ada', ' aDa '], ['ada', 'ａｄａ'], ['ÉVA', 'e\u0301va'], ['straße', 'STRASSE'], ['straße', 'Strasse'],
  ['straße', 'STRAẞE'], ['ὈΔΥΣΣΕΎΣ', 'ὀδυσσεύς'], ['οδοσ', 'οδος'], ['ﬁona', 'FIONA'], ['ŽOFIE', 'žofie'],
  ['ИВАН', 'иван'], ['ſara', 'SARA'], ['\u212bke', 'åKE'], ['dž', 'Ǆ'], ['Ⅷ', 'viii'], ['ᾳx', 'ᾼX'],
  ['한글', '한글'.normalize('NFD')],
]))

t.test('names that only look alike are different names', async (t) => {
  const { post } = await build(t)
  for (const username of ['ada', 'аda', 'adá', 'ad a', 'ada.', 'ada1', 'αda']) {
    t.equal((await post('/auth/register', { username, password })).statusCode, 201, shown(username))
  }
})

t.test('an e-mail address is stored in one spelling', async (t) => {
  const { sql, post } = await buildOnFile(t)
  const longest = `${'x'.repeat(64)}@${'y'.repeat(63)}.${'y'.repeat(63)}.${'z'.repeat(57)}.com`
  const addresses: [given: string, stored: string][] = [
    ['ada@example.com', 'ada@example.com'], ['  Bea@Example.COM ', 'Bea@example.com'], [longest, longest],
    ['ｃｌｅｏ＠ｅｘａｍｐｌｅ．ｃｏｍ', 'cleo@example.com'], ['dora﹫example.com', 'dora@example.com'],
    ['eva@bücher.example', 'eva@xn--bcher-kva.example'], ['fay@例え.テスト', 'fay@xn--r8jz45g.xn--zckzah'],
    ['gus+tag@example.com', 'gus+tag@example.com'], ["o'b@x.example", "o'b@x.example"],
    ['e\u0301mile@example.com', '\u00e9mile@example.com'], ['hal@a-b.c-d.example', 'hal@a-b.c-d.example'],
    ['ida@example。com', 'ida@example.com'], ['jo@faß.example', 'jo@xn--fa-hia.example'],
  ]

  for (const [index, [email, kept]] of addresses.entries()) {
    const answer = await post('/auth/register', { username: `user-${index}`, email, password })
    t.equal(answer.json().user?.email, kept, shown(email))
    t.equal((await post('/auth/login', { username: email, password })).json().user?.email, kept)
  }
  t.strictSame(await stored(sql, 'email'), addresses.map(([, kept]) => kept))
})

const noAddresses = [
  // Too little, too much, or more than one.
  '', ' ', '@', 'ada', 'ada@', '@x.com', 'a@b@x.com', 'a＠b@x.com', 'a@b﹫x.com', 'a@'.repeat(127), 'a'.repeat(254),
  'a@x.com,b@y.com', 'a,b@x.com', 'a@x.com, b@y.com', 'a@x.com;b@y.com', 'a@x.com b@y.com', 'a@x.com\nb@y.com',
  `a@${'x'.repeat(64)}.com`, `${'x'.repeat(65)}@x.com`, `a@${'x.'.repeat(130)}com`, 'ﷺ'.repeat(5) + '@x.com',
  // Headers of a mail, names and quotes around it, and other grammars.
  'a@x.com\r\nBcc: b@y.com', 'a@x.com\r\nBcc:', 'a@x.com\r\nBcc', 'a\r\n@x.com', 'a@\r\nx.com',
  'Ada <a@x.com>', '<a@x.com>', '"a b"@x.com', '"a"@x.com', 'a b@x.com', 'a@x .com', 'a\\@x.com', 'a(b)@x.com',
  'a:b@x.com', '[a]@x.com', 'mailto:a@x.com',
  // No domain of a mail server.
  'a@localhost', 'a@com', 'a@.com', 'a@com.', 'a@x..com', 'a@x.com.', 'a@-x.com', 'a@x-.com', 'a@x_y.com', 'a@x.1',
  'a@℀.com', 'a@127.0.0.1', 'a@[127.0.0.1]', 'a@[::1]', 'a@0x7f.1', 'a@2130706433', 'a@1.2.3', 'a@１２７.０.０.１',
  // A URL's grammar, and what a URL's parser would take out.
  'a@x.com:25', 'a@x.com/b', 'a@x.com?b', 'a@x.com#b', 'a@x.com\\b', 'a@x%2ecom', 'a@%78.com', 'a@x\t.com',
  'a@x\n.com',
  // What cannot be seen.
  'a@x.com\0', 'a\0@x.com', 'a\ud800@x.com', 'a@x\ud800.com', 'a\u200b@x.com', 'a\u202e@x.com', 'a\u3164@x.com',
  'a@x.com\u202e',
]

t.test('what is no e-mail address, or more than one, is refused', async (t) => {
  const { sql, post } = await buildOnFile(t)
  for (const [index, email] of noAddresses.entries()) {
    const answer = await post('/auth/register', { username: `user-${index}`, email, password })
    const message = /^body\/email must (be an e-mail address|NOT have more than 254 characters)$/
    t.match(answer.json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID', message }, shown(email))
  }
  t.equal(await count(sql), 0)
})

t.test('a hundred kilobytes of address is refused', async (t) => {
  const { post } = await build(t)
  const long = ['a@'.repeat(50_000), 'a'.repeat(100_000), `${'a.'.repeat(50_000)}@x.com`, `a@${'a.'.repeat(50_000)}`]
  for (const email of long) {
    t.equal((await post('/auth/register', { username: 'ada', email, password })).statusCode, 413)
    t.equal((await post('/auth/login', { username: email, password })).statusCode, 413)
    const shorter = email.slice(0, 15_000)
    t.equal((await post('/auth/register', { username: 'ada', email: shorter, password })).statusCode, 400)
    t.equal((await post('/auth/login', { username: shorter, password })).statusCode, 400)
    t.equal((await post('/auth/login', { username: email.slice(0, 512), password })).statusCode, 401)
  }
})

t.test('two spellings of an e-mail address are one address', (t) => areOne(t, 'email', [
  ['A@X.com', 'a@x.com'], ['ada@example.com', ' ADA@EXAMPLE.COM '], ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
  ['ada@BÜCHER.example', 'Ada@bu\u0308cher.example'], ['ada@example.com', 'ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ'],
  ['ada@example.com', 'ada﹫example.com'], ['ada@example.com', 'ada@example。com'],
  ['éva@x.example', 'E\u0301VA@x.example'], ['straße@x.example', 'STRASSE@x.example'],
]))

t.test('an e-mail address is told apart from one that is only similar', async (t) => {
  const { post } = await build(t)
  const addresses = ['a@x.com', 'a@x.org', 'a@y.x.com', 'a.@x.com', 'a+b@x.com', 'а@x.com', 'a@faß.de', 'a@fass.de']
  for (const [index, email] of addresses.entries()) {
    const { statusCode } = await post('/auth/register', { username: `user-${index}`, email, password })
    t.equal(statusCode, 201, shown(email))
  }
})
