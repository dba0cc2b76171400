// In a process of its own: it sets the environment.
import { createHash, createHmac, createSecretKey, generateKeyPairSync, hkdfSync } from 'node:crypto'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../lib/index.ts'
import { build, decode, password, secret } from '../support/build.ts'

/** 32 bytes as a generator gives them, and the same ones in every run. */
const random = createHash('sha256').update('fastify-jwt-accounts').digest()

/** The same, as a generator gives them once in thousands: of letters there are only an M, an e, two a and a T. */
const wordy = Buffer.from('4d5e65cb2caeb4bf61b02c61a91a1806a1a99482cd2c8e2e2d9498b454097ff1', 'hex')

const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const spki = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
const pkcs1 = rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()
const jwk = JSON.stringify(rsa.publicKey.export({ format: 'jwk' }))
const ecJwk = ec.publicKey.export({ format: 'jwk' })

type Row = [what: string, secret: unknown]

const short: Row[] = [
  ['an empty string', ''],
  ['an empty Buffer', Buffer.alloc(0)],
  ['one character', 'a'],
  ['a word', 'secret'],
  ['31 random bytes', random.subarray(1)],
  ['31 characters', random.toString('base64url').slice(0, 31)],
  ['half a key in hex', random.toString('hex').slice(0, 31)],
  ['the placeholder of the most used JWT debugger', 'your-256-bit-secret'],
]

const monotonous: Row[] = [
  ['a key of 32 zero bytes', Buffer.alloc(32)],
  ['a key of 64 zero bytes', Buffer.alloc(64)],
  ['a string of 32 NULs', '\0'.repeat(32)],
  ['a key of one byte, many times', Buffer.alloc(32, 0xab)],
  ['a letter, many times', 'x'.repeat(64)],
  ['a digit, many times', '0'.repeat(32)],
  ['spaces', ' '.repeat(40)],
  ['two characters taking turns', 'ab'.repeat(20)],
  ['the word "secret", many times', 'secret'.repeat(6)],
]

/** RFC 8725 §2.1: whoever has a public key could sign with it, if it were taken for a secret. */
const der = spki.replace(/-----[^-]+-----|\s/g, '')

/** A certificate of Ed25519, signed by itself, as DER in base64. */
const certificate = (
  'MIIBLjCB4aADAgECAhQ0puCB7Qdcvr1+PeWvY44zPpmpujAFBgMrZXAwDDEKMAgGA1UEAwwBeDAgFw0yNjExMjcxNTA4MDBaGA8yMTI2MTEwMzE1' +
  'MDgwMFowDDEKMAgGA1UEAwwBeDAqMAUGAytlcAMhACTPShtsMznTOK3bMINNXhPfcktQbarSkFaiaiWQc0e0o1MwUTAdBgNVHQ4EFgQUStA2rJef' +
  'z/tVmJb2AyzVbOEMEIYwHwYDVR0jBBgwFoAUStA2rJefz/tVmJb2AyzVbOEMEIYwDwYDVR0TAQH/BAUwAwEB/zAFBgMrZXADQQC15MVxjo5s/1tB' +
  'kF68kt76I+29FKP0/EKrrC0hFct+xQUM/9RRoQeHTC5GVVcicE4CMf0eAtUJf0Ms96jwaGcL'
)

const keyFiles: Row[] = [
  ['a public key', spki],
  ['a public key as a Buffer', Buffer.from(spki)],
  ['an old public key of RSA', pkcs1],
  ['a public key of a curve', ec.publicKey.export({ type: 'spki', format: 'pem' })],
  ['a private key', ec.privateKey.export({ type: 'pkcs8', format: 'pem' })],
  ['a certificate', `-----BEGIN CERTIFICATE-----\n${random.toString('base64')}\n-----END CERTIFICATE-----\n`],
  ['a public key after a byte order mark', `\ufeff${spki}`],
  ['a public key after a comment', `# the key of production\n${spki}`],
  ['a public key after a line feed', `\n${pkcs1}`],
  ['a public key after spaces', `   ${spki}`],
  ['a public key after a zero-width space', `\u200b${spki}`],
  ['a public key, indented', spki.replaceAll(/^/gm, '    ')],
  ['a public key without its last line feed', spki.trim()],
  ['a public key with CR LF', spki.replaceAll('\n', '\r\n')],
  ['a public key in one line', spki.replaceAll('\n', '\\n')],
  ['a public key in quotes', JSON.stringify(spki)],
  ['a JWK of RSA', jwk],
  ['a JWK as a Buffer', Buffer.from(jwk)],
  ['a JWK of a curve', JSON.stringify(ecJwk)],
  ['a private JWK', JSON.stringify(ec.privateKey.export({ format: 'jwk' }))],
  ['a JWK of a secret', JSON.stringify({ kty: 'oct', k: random.toString('base64url') })],
  ['a JWK, indented', JSON.stringify(ecJwk, null, 2)],
  ['a JWK after a byte order mark', `\ufeff${jwk}`],
  ['a JWK with its members turned around', JSON.stringify(Object.fromEntries(Object.entries(ecJwk).reverse()))],
  ['a JWK with spaces before its colons', jwk.replaceAll(':', ' :')],
  ['a set of JWKs', JSON.stringify({ keys: [ecJwk] })],
  ['a JWK with an escape in its names', jwk.replace('"kty"', '"\\u006bty"')],
  ['a public key as DER', Buffer.from(der, 'base64')],
  ['a public key as DER in base64', der],
  ['an old public key of RSA as DER', rsa.publicKey.export({ type: 'pkcs1', format: 'der' })],
  ['a certificate as DER', Buffer.from(certificate, 'base64')],
  ['a certificate as DER in base64', certificate],
  ['a public key in base64', Buffer.from(spki).toString('base64')],
  ['a public key in UTF-16', Buffer.from(spki, 'utf16le')],
  ['a public key in hex', Buffer.from(spki).toString('hex')],
  ['a public key as DER in hex', Buffer.from(der, 'base64').toString('hex')],
  ['a public key of SSH', `ssh-rsa ${der}`],
  ['a public key of SSH after a line feed', `\nssh-rsa ${der}`],
  ['a public key of SSH 2', `---- BEGIN SSH2 PUBLIC KEY ----\n${der}`],
  ['an empty set of JWKs, long enough', `${JSON.stringify({ keys: [] })}${' '.repeat(40)}`],
]

const placeholders: Row[] = [
  'a-string-secret-at-least-256-bits-long',
  'your-256-bit-secret-your-256-bit-secret',
  'super-secret-jwt-token-with-at-least-32-characters-long',
  'your-super-secret-key-change-in-production',
  'your_jwt_secret_key_here_change_in_production',
  'please-change-this-secret-key-in-production',
  'change-me-change-me-change-me-change-me',
  'CHANGE_ME_CHANGE_ME_CHANGE_ME_CHANGE_ME',
  'My Super Secret JWT Key For Development Only!',
  'mysecretkeymysecretkeymysecretkey',
  'thisisaverylongsecretkeyfortesting',
  '0123456789abcdef0123456789abcdef',
  'abcdefghijklmnopqrstuvwxyzABCDEF',
  'abcdefghijklmnopqrstuvwxyz123456',
  '12345678901234567890123456789012',
  'your-very-long-and-random-secret-key-here',
  'insert-your-secret-key-here-please',
  'keyboard cat keyboard cat keyboard cat',
  'keyboard cat\nkeyboard cat\nkeyboard cat\n',
  'qwertyuiopasdfghjklzxcvbnm123456',
  'this-is-a-secret-key-that-is-long-enough',
].map((secret) => [`the placeholder ${JSON.stringify(secret)}`, secret])

const wrongTypes: Row[] = [
  ['null', null],
  ['a number', 42],
  ['a long number', 12345678901234567890123456789012n],
  ['true', true],
  ['an object', {}],
  ['an object that can be made a string', { toString: () => random.toString('base64') }],
  ['a string object', Object(random.toString('base64'))],
  ['an array in an array', [[[random.toString('base64')]]]],
  ['an array of bytes', [...random]],
  ['plain bytes', new Uint8Array(random)],
  ['a function', () => random],
  ['a KeyObject', createSecretKey(random)],
  ['a public KeyObject', ec.publicKey],
]

const refused: Array<[rows: Row[], reason: RegExp]> = [
  [short, /secret .*must be at least 32 bytes long/],
  [monotonous, /secret .*must be random: it has too few different bytes/],
  [keyFiles, /secret .*must not be a PEM, DER, JWK or SSH key/],
  [placeholders, /secret .*must be random: it is a placeholder/],
  [[['one secret twice', [random, random]]], /secret must hold different keys/],
  [[['an empty array', []]], /secret must hold a key/],
  [wrongTypes, /secret.* must (be a string, a Buffer, or an object|have a private or a public part)/],
]

const accepted: Row[] = [
  ['32 random bytes', random],
  ['64 random bytes', createHash('sha512').update('fastify-jwt-accounts').digest()],
  ['32 random bytes in base64', random.toString('base64')],
  ['32 random bytes in base64url', random.toString('base64url')],
  ['32 random bytes in hex', random.toString('hex')],
  ['32 random bytes that are no UTF-8', Buffer.from(random.map((byte) => byte | 0x80))],
  ['a list of one', [random.toString('base64')]],
  [
    '32 random bytes in base64url that happen to say ssh',
    `${random.toString('base64url').slice(0, 20)}ssh-${random.toString('base64url').slice(20)}`,
  ],
  ['signs alone', '#!$%/&=?*+~-_.:,;<>|@^[]{}()#!$%/&'],
  ['words of words that end in none, soon', `${'insecure'.repeat(40)}123412z`],
  ['32 random bytes whose few letters spell words', wordy],
  ['32 random bytes that end in a word', Buffer.concat([wordy.subarray(3), wordy.subarray(0, 3)])],
]

/** Options as they come from JavaScript, where nobody has checked them. */
const given = (secret: unknown) => ({ secret }) as AccountsOptions

async function refusalOf (t: Test, options: AccountsOptions): Promise<Error> {
  return build(t, options).then(() => new Error('it was accepted'), (error) => error)
}

/** What of a secret must not be read anywhere. */
function spellingsOf (secret: unknown): string[] {
  const bytes = typeof secret === 'string' || Buffer.isBuffer(secret) ? Buffer.from(secret) : random
  const texts = [bytes.toString(), bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')]
  return texts.map((text) => text.trim().slice(0, 30)).filter((text) => text.length > 8)
}

/** Sets variables of the environment for one test; without a value they are not there. */
function setEnvironment (t: Test, variables: { NODE_ENV?: string, JWT_SECRET_KEY?: string }): void {
  for (const name of ['NODE_ENV', 'JWT_SECRET_KEY'] as const) {
    const before = process.env[name]
    t.teardown(() => setVariable(name, before))
    setVariable(name, variables[name])
  }
}

function setVariable (name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}

/** A server that keeps what it logs. */
function recorder () {
  const lines: Array<{ level: number, msg: string }> = []
  const stream = { write: (line: string) => lines.push(JSON.parse(line)) }
  return { lines, server: { logger: { level: 'warn', stream } } }
}

for (const [rows, reason] of refused) {
  for (const [what, secret] of rows) {
    t.test(`${what} is refused as a secret, and not repeated`, async (t) => {
      const error = await refusalOf(t, given(secret))

      t.match(error, { code: 'ACCOUNTS_OPTIONS_INVALID', message: reason })
      t.strictSame(spellingsOf(secret).filter((text) => inspect(error).includes(text)), [])
    })
  }
}

for (const [what, secret] of accepted) {
  t.test(`${what} make a secret`, async (t) => {
    const { get, refresh, signUp } = await build(t, given(secret))
    const { access_token: access, refresh_token: refreshToken } = await signUp()

    t.equal((await get('/auth/me', access)).statusCode, 200)
    t.equal((await refresh(refreshToken)).statusCode, 200)
  })
}

for (const secret of ['too short', 'x'.repeat(40), spki, jwk, 'change-me-change-me-change-me-change-me']) {
  t.test(`a secret of the environment is judged like any other (${inspect(secret.slice(0, 12))})`, async (t) => {
    setEnvironment(t, { JWT_SECRET_KEY: secret })
    const error = await refusalOf(t, given(undefined))

    t.match(error, { code: 'ACCOUNTS_OPTIONS_INVALID', message: /secret \(or JWT_SECRET_KEY\) must / })
    t.notMatch(inspect(error), secret)
  })
}

t.test('a secret is read from the environment where none is given', async (t) => {
  setEnvironment(t, { NODE_ENV: 'production', JWT_SECRET_KEY: random.toString('base64') })
  const { access_token: token } = await (await build(t, given(undefined))).signUp()
  setEnvironment(t, { NODE_ENV: 'production' })
  const same = await build(t, given(random.toString('base64')))

  t.match((await same.get('/auth/me', token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' }, 'signed alike, in no session')
})

t.test('a secret that is given counts, whatever the environment says', async (t) => {
  setEnvironment(t, { JWT_SECRET_KEY: 'too short to start with' })
  const { get, signUp } = await build(t, given(random))

  t.equal((await get('/auth/me', (await signUp()).access_token)).statusCode, 200)
})

for (const variables of [{}, { JWT_SECRET_KEY: '' }]) {
  t.test(`production does not start without a secret (${inspect(variables)})`, async (t) => {
    setEnvironment(t, { NODE_ENV: 'production', ...variables })

    t.match(await refusalOf(t, given(undefined)), {
      code: 'ACCOUNTS_OPTIONS_INVALID', message: /secret \(or JWT_SECRET_KEY\) is required in production/,
    })
  })

  t.test(`outside production a server without a secret makes one up and warns (${inspect(variables)})`, async (t) => {
    setEnvironment(t, variables)
    const { lines, server } = recorder()
    const { get, signUp, refresh } = await build(t, given(undefined), server)
    const { access_token: access, refresh_token: refreshToken } = await signUp()

    t.equal((await get('/auth/me', access)).statusCode, 200)
    t.equal((await refresh(refreshToken)).statusCode, 200)
    t.match(lines, [{ level: 40, msg: /has no secret: .*Set JWT_SECRET_KEY/ }])
    t.equal(lines.length, 1, 'once')
  })
}

t.test('a server that was given a secret has nothing to warn of', async (t) => {
  setEnvironment(t, {})
  const { lines, server } = recorder()
  const { signUp } = await build(t, given(random), server)
  await signUp()

  t.strictSame(lines, [])
})

t.test('no two servers make up the same secret', async (t) => {
  setEnvironment(t, {})
  const [one, two] = [await build(t, given(undefined)), await build(t, given(undefined))]
  const { access_token: access, refresh_token: refreshToken } = await one.signUp()
  const ofTwo = await two.signUp()

  t.match((await two.get('/auth/me', access)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_INVALID' })
  t.match((await two.refresh(refreshToken)).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_INVALID' })
  t.not(decode(access).header.kid, decode(ofTwo.access_token).header.kid)
})

t.test('a string and a Buffer of the same bytes are the same secret', async (t) => {
  const text = random.toString('hex')
  const { access_token: access, refresh_token: refreshToken } = await (await build(t, given(text))).signUp()
  const { get, refresh } = await build(t, given(Buffer.from(text)))

  t.match((await get('/auth/me', access)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' }, 'signed alike, in no session')
  t.match((await refresh(refreshToken)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
})

t.test('a Buffer may be wiped once it was handed over', async (t) => {
  const buffer = Buffer.from(random)
  const { get, signIn, signUp } = await build(t, given(buffer))
  const before = await signUp()
  buffer.fill(0)

  t.equal((await get('/auth/me', before.access_token)).statusCode, 200)
  t.equal((await get('/auth/me', (await signIn()).access_token)).statusCode, 200)
})

t.test('a refusal names what else is wrong, and not the secret that is right', async (t) => {
  const options = { ...given(random.toString('base64')), prefix: 'auth', colour: 'red' }
  const error = await refusalOf(t, options)

  t.match(error, { code: 'ACCOUNTS_OPTIONS_INVALID', message: /prefix.*colour|colour.*prefix/ })
  t.strictSame(spellingsOf(random.toString('base64')).filter((text) => inspect(error).includes(text)), [])
})

t.test('what a secret makes is the same today and in later versions, so that an update ends no session', async (t) => {
  const derive = (label: string) => Buffer.from(hkdfSync('sha256', secret, '', `fastify-jwt-accounts/${label}/v1`, 32))
  const { post } = await build(t, { transport: 'cookie' })
  const answer = await post('/auth/register', { username: 'ada', password })
  const { header, payload: { sid, ver } } = decode(answer.cookies.find(({ name }) => name === '__Host-access')!.value)
  t.equal(header.kid, createHash('sha256').update(derive('kid')).digest('base64url').slice(0, 16))
  t.equal(answer.json().csrf_token, createHmac('sha256', derive('csrf')).update(`${sid} ${ver}`).digest('base64url'))
})

t.test('a secret goes with no other algorithm than HS256', async (t) => {
  await t.rejects(build(t, { algorithm: 'RS256' }), {
    message: /is an HMAC secret, which goes with HS256 and not with RS256/,
  })
})
