import { randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import t from 'tap'
import { createBlocklist } from '../../../lib/features/passwords/blocklist.ts'
import { build, password as usual } from '../../support/build.ts'

const common = 'must not be a common password, not even repeated or with digits and punctuation around it'
const repetition = 'must not repeat a few characters'
const row = 'must not be a sequence of letters, digits or keys'

const nobody = { username: null, email: null }
const ruleOf = createBlocklist()
const judge = (password: string) => ruleOf(password.normalize('NFKC'), nobody)

t.test('what everybody tries first is refused', async (t) => {
  const { post } = await build(t, { password: { minLength: 8 } })
  const rejected: [rule: string, passwords: string[]][] = [
    [
      common,
      [
        'password12345678',
        'Password!Password!',
        'passwordpassword',
        'PASSWORDPASSWORD',
        'password password',
        '!!!!Password1!!!!',
        '12345678password',
        'sunshinesunshine2024',
        '2024 Sunshine 2024',
        'ｐａｓｓｗｏｒｄ１２３４５６７８',
        'passwordpasswordpass',
        '1qaz2wsx3edc4rfv',
        'iloveyou',
        'iloveyou++++++++',
        '(trustno1)(trustno1)',
        'monkey____________',
        'abc123!!!!!!!!!!',
        'dragon\u00a0\u00a0\u00a0\u20032024',
      ],
    ],
    [
      repetition,
      [
        'aaaaaaaaaaaaaaa',
        'abababababababab',
        'abcabcabcabcabca',
        'aaabaaabaaabaaab',
        'monkeymonkeymonkey',
        'AaAaAaAaAaAaAaAa',
        '🙂🙂🙂🙂🙂🙂🙂🙂',
        '👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽',
        'ab ab ab ab ab ab',
        '1212121212121212',
        'a1!a1!a1!a1!a1!',
        'xyzxyzxyzxyz2024',
        '--------',
        '               ',
      ],
    ],
    [
      row,
      [
        'abcdefghijklmnop',
        '123456789012345',
        'qwertyuiopasdfgh',
        '987654321098765',
        'zyxwvutsrqponmlk',
        'abcdefgh12345678',
        'QWERTYUIOP123456',
        '1234 5678 9012 3456',
        'asdfghjklzxcvbnm',
        'qwertzuiopyxcvbnm',
        'azertyuiopqsdfghjklm',
        'qsdfghjklm123456',
        'poiuytrewqlkjhgf',
        'aaaabbbbccccddddeeee',
        '1234567890!!!!!!!!',
        'абвгдежзийклмноп',
        'あぃいぅうぇえぉおかがきぎく',
      ],
    ],
  ]
  for (const [rule, passwords] of rejected) {
    for (const password of passwords) {
      const answer = await post('/auth/register', { username: 'somebody', password })
      t.strictSame(
        answer.json(),
        { statusCode: 400, code: 'ACCOUNTS_PASSWORD_REJECTED', error: 'Bad Request', message: `The password ${rule}` },
        password
      )
    }
  }
})

t.test('what is long, or only holds what is common, is accepted', async (t) => {
  const accepted = [
    usual,
    'dragon monkey football',
    'my password is not password',
    'password of the day',
    '🙂🙃😀😎🤖👻👽💀🎃🐶🐱🐭🐹🐰',
    '83749182736455463',
    'qwerty and azerty',
    'abcd is not enough',
    'correct horse battery staple correct horse battery staple',
    'k3j9xq2mk3j9xq2m',
    'k3j9xqk3j-9xq',
    'k3j9xqz3j9xq',
    'monkeymon',
    'пароль из трёх слов',
    '正しい馬電池ホチキスの針ですよね',
    '!@)(#*%&^"\'\\,.<>[]{}',
    '"password","dragon"',
    'letmein-or-leave-me-out',
    'a man a plan a canal',
    '\\"","dragon","monkey',
    'were poor weeds here',
  ]
  for (const password of accepted) t.equal(await judge(password), undefined, password)
})

t.test('without the option all of it is accepted', async (t) => {
  const { post } = await build(t, { password: { blocklist: false } })
  for (const [index, password] of ['password12345678', 'aaaaaaaaaaaaaaa', 'abcdefghijklmnop'].entries()) {
    t.equal((await post('/auth/register', { username: `user-${index}`, password })).statusCode, 201)
  }
})

/** The list as the package has it, and the words for phrases. */
async function lists () {
  const { resolve } = createRequire(import.meta.url)
  const read = async (name: string) =>
    JSON.parse(await readFile(resolve(`@zxcvbn-ts/language-common/src/${name}.json`), 'utf8')) as string[]
  return { passwords: await read('passwords'), words: await read('diceware') }
}

t.test('every password of the list is refused, in any case and with digits around it', async (t) => {
  const { passwords } = await lists()
  t.ok(passwords.length > 49_000)
  t.ok(
    passwords.every(
      (password) =>
        /^[!-~]+$/.test(password) &&
        password === password.toLowerCase() &&
        JSON.stringify(password) === `"${password}"`
    ),
    'the text is searched as it stands'
  )

  const sample = passwords.filter((_, index) => index % 97 === 0)
  for (const password of sample) {
    if (!await judge(password.toUpperCase())) t.fail(password)
    const isWord = /^[a-z].*[a-z]$/.test(password)
    if (isWord && !await judge(`2024${password}!1234567`)) t.fail(`${password} with digits`)
  }
  t.ok(sample.length > 500)
})

t.test('no phrase of a few words and no random string is refused', async (t) => {
  const { passwords, words } = await lists()
  const alphabets = [
    'abcdefghijklmnopqrstuvwxyz',
    '0123456789abcdef',
    'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
    Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join(''),
  ]
  const oneOf = <Item>(items: ArrayLike<Item>) => items[randomInt(items.length)]!
  const times = <Item>(count: number, make: () => Item) => Array.from({ length: count }, make)
  const letters = passwords.filter((password) => /^[a-z]{5,}$/.test(password))

  const phrases = times(500, () => times(randomInt(3, 6), () => oneOf(words)).join(oneOf([' ', '-', '.', ''])))
    .concat(times(200, () => times(randomInt(3, 6), () => oneOf(letters)).join(' ')))
    .filter((phrase) => phrase.length >= 15)
  const strings = alphabets.flatMap((alphabet) =>
    times(200, () => times(randomInt(15, 33), () => oneOf(alphabet)).join(''))
  )
  t.ok(phrases.length > 500)

  for (const password of [...phrases, ...strings]) {
    const rule = await judge(password)
    if (rule) t.fail(`${password} ${rule}`)
  }
})

/** What this thread alone has worked, in milliseconds: no clock, which other processes make late. */
function worked (since?: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(since)
  return (user + system) / 1000
}

t.test('a password as long as it may be is judged like any other, and what it costs is told', async (t) => {
  const fresh = createBlocklist()
  const before = process.threadCpuUsage()
  t.equal(await fresh(usual, nobody), undefined)
  t.comment(`${worked(before)} ms for the first`)

  const long = [
    usual,
    'a'.repeat(1023) + 'b',
    'ab '.repeat(341) + 'x',
    `${' '.repeat(511)}x${' '.repeat(511)}y`,
    'x' + '1 '.repeat(511) + 'x',
    '🙂'.repeat(1023) + 'x',
    'k9x'.repeat(170),
  ]
  for (const password of long) {
    const began = process.threadCpuUsage()
    for (let round = 0; round < 20; round++) await fresh(password, nobody)
    t.comment(`${worked(began) / 20} ms for ${JSON.stringify(password.slice(0, 30))}`)
    t.match(await fresh(password, nobody) ?? 'none', /^(none|must )/)
  }
})
