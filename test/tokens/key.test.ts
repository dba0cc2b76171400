import {
  createHash,
  createHmac,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  hkdfSync,
  verify,
  type KeyObject,
} from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../lib/index.ts'
import { build, decode, mint, secret } from '../support/build.ts'
import { spellingsOfPem } from './signer.ts'

type Secret = AccountsOptions['secret']
type Jwk = Record<string, unknown>

const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })
const rsa = (modulusLength = 2048, publicExponent = 0x10001) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent })
const jwkOf = (key: KeyObject): Jwk => key.export({ format: 'jwk' }) as Jwk
const pemOf = (key: KeyObject, type: string = key.type === 'private' ? 'pkcs8' : 'spki') =>
  key.export({ format: 'pem', type: type as 'spki' }) as string

const keys = {
  RSA: rsa(),
  'P-256': ec('P-256'),
  'P-384': ec('P-384'),
  'P-521': ec('P-521'),
  Ed25519: generateKeyPairSync('ed25519'),
}
const other = { RSA: rsa(), 'P-256': ec('P-256'), Ed25519: generateKeyPairSync('ed25519') }

/** What each key signs with, and what may be asked of it. */
const algorithmsOf = {
  RSA: ['RS256', 'PS256'],
  'P-256': ['ES256'],
  'P-384': ['ES384'],
  'P-521': ['ES512'],
  Ed25519: ['EdDSA'],
} as const

const hashes: Record<string, string | null> = {
  RS256: 'sha256',
  PS256: 'sha256',
  ES256: 'sha256',
  ES384: 'sha384',
  ES512: 'sha512',
  EdDSA: null,
}

/** RFC 7638 §3: the required members in alphabetical order, without spaces. */
function thumbprint (key: KeyObject): string {
  const { kty, crv, x, y, n, e } = jwkOf(key)
  const members = {
    RSA: `{"e":"${e}","kty":"RSA","n":"${n}"}`,
    EC: `{"crv":"${crv}","kty":"EC","x":"${x}","y":"${y}"}`,
    OKP: `{"crv":"${crv}","kty":"OKP","x":"${x}"}`,
  }
  return createHash('sha256').update(members[kty as keyof typeof members]).digest('base64url')
}

function isSignedBy (token: string, key: KeyObject): boolean {
  const [head, body, tail] = token.split('.') as [string, string, string]
  const { alg } = decode(token).header
  const padding = alg === 'PS256' ? { padding: 6, saltLength: 32 } : {}
  return verify(
    hashes[alg]!,
    Buffer.from(`${head}.${body}`),
    { key, dsaEncoding: 'ieee-p1363', ...padding },
    Buffer.from(tail, 'base64url')
  )
}

/** Tokens of an app with this key, checked by the app itself and, with what it publishes, by node:crypto. */
async function requireTokens (
  t: Test,
  options: AccountsOptions,
  publicKey: KeyObject,
  header: { alg: string; kid: string }
) {
  const client = await build(t, options)
  const {
    keys: [jwk],
  } = (await client.get('/auth/jwks.json')).json()
  const key = createPublicKey({ format: 'jwk', key: jwk })
  t.match(jwk, { ...header, use: 'sig' })
  t.ok(key.equals(publicKey), 'the right key is published')
  const { access_token: access, refresh_token: refresh } = await client.signUp()
  t.strictSame(
    [access, refresh].map((token) => decode(token).header),
    [
      { ...header, typ: 'at+jwt' },
      { ...header, typ: 'rt+jwt' },
    ]
  )
  t.ok(isSignedBy(access, key) && isSignedBy(refresh, key), 'node:crypto finds them right')
  t.equal((await client.get('/auth/me', access)).statusCode, 200)
  t.equal((await client.refresh(refresh)).statusCode, 200)
}

/** Refuses to start, naming the option and quoting nothing of the key. */
async function requireRefusal (t: Test, options: AccountsOptions, what: string, reason: RegExp = /^/) {
  const error = await build(t, options).then(() => undefined, (error) => error)
  t.match(error, { code: 'ACCOUNTS_OPTIONS_INVALID', message: 'cannot start: secret' }, what)
  t.match(error?.message, reason, what)
  t.notMatch(inspect([error?.message, error?.cause]), /BEGIN|[\w+/-]{40}|_SECRET_PART/, `${what}: nothing is quoted`)
}

/** As variables of the environment hold it: with `\n`, or `\r\n`, as characters. */
const oneLine = (pem: string) => pem.replaceAll('\r', '\\r').replaceAll('\n', '\\n')

for (const [name, { privateKey, publicKey }] of Object.entries(keys)) {
  t.test(`a key of ${name} signs in each of its forms`, async (t) => {
    const [alg] = algorithmsOf[name as keyof typeof algorithmsOf]
    const older = name === 'RSA' ? 'pkcs1' : name === 'Ed25519' ? 'pkcs8' : 'sec1'
    const forms: Record<string, Secret> = {
      'a KeyObject': { private: privateKey },
      'PEM, pkcs8': { private: pemOf(privateKey) },
      [`PEM, ${older}, in a Buffer, both parts`]: {
        private: Buffer.from(pemOf(privateKey, older)),
        public: Buffer.from(pemOf(publicKey)),
      },
      'PEM, in one line, both parts': {
        private: oneLine(pemOf(privateKey)),
        public: oneLine(pemOf(publicKey, 'spki').replaceAll('\n', '\r\n')),
      },
      'a JWK that says what it is for, both parts': {
        private: { ...jwkOf(privateKey), use: 'sig', alg, key_ops: ['sign'] },
        public: { ...jwkOf(publicKey), use: 'sig', alg, key_ops: ['verify'] },
      },
    }
    const chosen = Object.entries(forms).slice(0, alg === 'ES384' || alg === 'ES512' ? 1 : 5)
    for (const [what, secret] of chosen) {
      await t.test(what, async (t) =>
        requireTokens(t, { secret: secret! }, publicKey, { alg, kid: thumbprint(publicKey) })
      )
    }
  })
}

t.test('the name of a key is its own, then that of the JWK, then its thumbprint', async (t) => {
  const { privateKey, publicKey } = keys.Ed25519
  const named = { ...jwkOf(privateKey), kid: 'its-own' }
  for (const [secret, kid] of [
    [{ private: named, kid: 'given' }, 'given'],
    [{ private: privateKey, public: { ...jwkOf(publicKey), kid: 'public' } }, 'public'],
    [{ private: jwkOf(privateKey), public: { ...jwkOf(publicKey), kid: 'only-there' } }, 'only-there'],
    [{ private: privateKey, kid: 'a.b~c:d_e-f'.padEnd(128, 'x') }, 'a.b~c:d_e-f'.padEnd(128, 'x')],
    [{ private: privateKey, kid: '__proto__' }, '__proto__'],
    [{ private: { ...named, alg: 'Ed25519' } }, 'its-own'],
  ] as const) {
    await t.test(kid, async (t) => requireTokens(t, { secret }, publicKey, { alg: 'EdDSA', kid }))
  }
})

t.test('an RSA key signs as its JWK, its entry or the option algorithm says', async (t) => {
  const { privateKey, publicKey } = keys.RSA
  const kid = thumbprint(publicKey)
  const options: [alg: string, options: AccountsOptions][] = [
    ['PS256', { secret: { private: privateKey }, algorithm: 'PS256' }],
    ['PS256', { secret: { private: privateKey, public: { ...jwkOf(publicKey), alg: 'PS256' } } }],
    ['PS256', { secret: { private: jwkOf(privateKey), public: { ...jwkOf(publicKey), alg: 'PS256' } } }],
    ['PS256', { secret: { private: privateKey, algorithm: 'PS256' }, algorithm: 'RS256' }],
  ]
  for (const [alg, given] of options) {
    await t.test(`${alg}, ${inspect(given, { depth: 1, breakLength: Infinity }).slice(0, 80)}`, async (t) =>
      requireTokens(t, given, publicKey, { alg, kid })
    )
  }
})

t.test('thumbprints are those of the documents', async (t) => {
  const published = [
    // RFC 7638 §3.1.
    [
      'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
      {
        kty: 'RSA',
        n:
          '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W' +
          '-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt' +
          '-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
        e: 'AQAB',
      },
    ],
    // RFC 8037 §A.3.
    [
      'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
      { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
    ],
  ] as const
  const { get } = await build(t, { secret: published.map(([, jwk]) => ({ public: jwk })) })
  t.strictSame((await get('/auth/jwks.json')).json().keys.map(({ kid }: Jwk) => kid), published.map(([kid]) => kid))
})

/** RFC 5915: some tools leave the public part out of the private key. */
function withoutPublicPart (key: KeyObject): string {
  const d = Buffer.from(jwkOf(key).d as string, 'base64url')
  const der = Buffer.concat([Buffer.from('30310201010420', 'hex'), d, Buffer.from('a00a06082a8648ce3d030107', 'hex')])
  return `-----BEGIN EC PRIVATE KEY-----\n${der.toString('base64')}\n-----END EC PRIVATE KEY-----\n`
}

t.test('a key makes the same values against CSRF in every form', async (t) => {
  const { privateKey } = keys['P-256']
  const forms = [
    privateKey,
    pemOf(privateKey),
    pemOf(privateKey, 'sec1'),
    jwkOf(privateKey),
    withoutPublicPart(privateKey),
  ]
  const db = `${t.testdir({})}/accounts.sqlite`
  const [first, ...others] = await Promise.all(
    forms.map((form) => build(t, { secret: { private: form }, db, transport: 'cookie' }))
  )
  const answer = await first!.post('/auth/register', { username: 'ada', password: 'correct horse battery staple' })
  const access = answer.cookies.find(({ name }) => name === '__Host-access')!.value
  const headers = { cookie: `__Host-access=${access}`, 'x-csrf-token': answer.json().csrf_token }

  const { sid, ver } = decode(access).payload
  const derived = Buffer.from(
    hkdfSync('sha256', Buffer.from(jwk.d as string, 'base64url'), '', 'fastify-jwt-accounts/csrf/v1', 32)
  )
  t.equal(
    headers['x-csrf-token'],
    createHmac('sha256', derived).update(`${sid} ${ver}`).digest('base64url'),
    'today and in later versions'
  )
  for (const { app } of [first!, ...others]) {
    t.equal((await app.inject({ method: 'POST', url: '/guarded', headers })).statusCode, 200)
  }
})

/** A modulus as Infineon's library made them (CVE-2017-15361): a power of 65537 modulo the first primes. */
function rocaModulus (): string {
  const primes = [2n, ...Array.from({ length: 83 }, (_, index) => BigInt(2 * index + 3)).filter((odd) => {
    for (let divisor = 3n; divisor < odd; divisor += 2n) if (odd % divisor === 0n) return false
    return true
  })]
  const product = primes.reduce((all, prime) => all * prime)
  const modulus = (2n ** 2047n / product + 1n) * product + 65537n ** 1234n % product
  return Buffer.from(modulus.toString(16), 'hex').toString('base64url')
}

/** Inverts the public exponent modulo the one prime less one, and not modulo the other. */
function exponentOfOnePrime (key: KeyObject): string {
  const { d, p } = jwkOf(key)
  const [exponent, prime] = [d, p].map((text) =>
    BigInt(`0x${Buffer.from(text as string, 'base64url').toString('hex')}`)
  ) as [bigint, bigint]
  const hex = (exponent + prime - 1n).toString(16)
  return Buffer.from(hex.padStart(hex.length + hex.length % 2, '0'), 'hex').toString('base64url')
}

const ed448 = generateKeyPairSync('ed448')
const x25519 = generateKeyPairSync('x25519')
const dsa = generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 })
const pssOnly = generateKeyPairSync('rsa-pss', { modulusLength: 2048 })
const { privateKey, publicKey } = keys['P-256']
const [jwk, publicJwk] = [jwkOf(privateKey), jwkOf(publicKey)]
const passphrase = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const

const weak: [what: string, secret: unknown, reason: RegExp][] = [
  ['RSA of 1024 bits', { private: rsa(1024).privateKey }, /2048 to 8192 bits/],
  ['RSA of 2047 bits', { private: rsa(2047).privateKey }, /2048 to 8192 bits/],
  [
    'RSA of more than 8192 bits',
    { public: { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(1032, 0xcd).toString('base64url') } },
    /2048 to 8192 bits/,
  ],
  ['RSA with the exponent 1', { public: { ...jwkOf(keys.RSA.publicKey), e: 'AQ' } }, /exponent/],
  ['RSA with the exponent 3', { private: rsa(2048, 3).privateKey }, /exponent/],
  ['RSA with the exponent 17', { private: rsa(2048, 17).privateKey }, /exponent/],
  ['RSA with an even exponent', { public: { ...jwkOf(keys.RSA.publicKey), e: 'AQAC' } }, /exponent/],
  ['RSA of a broken generator', { public: { kty: 'RSA', e: 'AQAB', n: rocaModulus() } }, /CVE-2017-15361/],
  ['secp256k1', { private: ec('secp256k1').privateKey }, /not secp256k1/],
  ['secp256k1, the public part', { public: ec('secp256k1').publicKey }, /not secp256k1/],
  ['secp256k1 for ES256', { private: ec('secp256k1').privateKey, algorithm: 'ES256' }, /not secp256k1/],
  ['P-224', { private: ec('secp224r1').privateKey }, /not secp224r1/],
  ['Ed448', { private: ed448.privateKey }, /not ed448/],
  ['X25519', { private: x25519.privateKey }, /not x25519/],
  ['DSA', { private: dsa.privateKey }, /not dsa/],
  ['RSA for PSS alone', { private: pssOnly.privateKey }, /not rsa-pss/],
  ['RSA for PSS alone, for PS256', { private: pssOnly.privateKey, algorithm: 'PS256' }, /not rsa-pss/],
]

const unfit: [what: string, secret: unknown, algorithm?: unknown, reason?: RegExp][] = [
  ['P-384 for ES256', { private: keys['P-384'].privateKey }, 'ES256', /cannot be used for ES256$/],
  ['P-384 for ES256 in its entry', { private: keys['P-384'].privateKey, algorithm: 'ES256' }],
  ['P-384 for ES256 in its JWK', { private: { ...jwkOf(keys['P-384'].privateKey), alg: 'ES256' } }],
  ['P-256 for ES384', { private: privateKey }, 'ES384'],
  ['P-256 for RS256', { private: privateKey }, 'RS256'],
  ['P-256 for HS256', { private: privateKey }, 'HS256'],
  ['RSA for ES256', { private: keys.RSA.privateKey }, 'ES256'],
  ['RSA for HS256 in its entry', { private: keys.RSA.privateKey, algorithm: 'HS256' }],
  ['RSA for HS256', { private: keys.RSA.privateKey }, 'HS256'],
  ['RSA for RS384', { private: keys.RSA.privateKey, algorithm: 'RS384' }],
  ['Ed25519 for ES256', { private: keys.Ed25519.privateKey }, 'ES256'],
  [
    'an algorithm that nobody knows',
    { private: privateKey, algorithm: 'none' },
    undefined,
    /cannot be used for what its algorithm says$/,
  ],
  ['an algorithm that is no text', { private: privateKey, algorithm: ['ES256'] }],
  ['an algorithm named like a part of objects', { private: privateKey, algorithm: '__proto__' }],
  ['an HMAC secret for RS256', secret, 'RS256'],
  ['an HMAC secret for ES256', secret, 'ES256'],
  ['an HMAC secret for EdDSA', Buffer.from(secret), 'EdDSA'],
]

const purposes: [what: string, secret: unknown, reason: RegExp][] = [
  ['use enc', { private: { ...jwk, use: 'enc' } }, /use is sig/],
  ['use enc of the public part', { private: privateKey, public: { ...publicJwk, use: 'enc' } }, /use is sig/],
  ['use of another type', { private: { ...jwk, use: ['sig'] } }, /use is sig/],
  ['alg of encryption', { private: { ...jwk, alg: 'ECDH-ES' } }, /cannot be used/],
  ['alg beside the entry', { private: { ...jwk, alg: 'ES384' }, algorithm: 'ES256' }, /alg is ES256/],
  ['alg of two minds', { private: { ...jwk, alg: 'ES256' }, public: { ...publicJwk, alg: 'ES384' } }, /alg is ES256/],
  [
    'alg RS256 beside PS256',
    { private: { ...jwkOf(keys.RSA.privateKey), alg: 'RS256' }, algorithm: 'PS256' },
    /alg is PS256/,
  ],
  ['key_ops of verification alone', { private: { ...jwk, key_ops: ['verify'] } }, /key_ops hold sign/],
  ['key_ops of encryption', { private: { ...jwk, key_ops: ['encrypt', 'deriveKey'] } }, /key_ops hold sign/],
  ['key_ops that are empty', { private: { ...jwk, key_ops: [] } }, /key_ops hold sign/],
  ['key_ops that are a text', { private: { ...jwk, key_ops: 'sign' } }, /key_ops hold sign/],
  [
    'key_ops of the public part',
    { private: privateKey, public: { ...publicJwk, key_ops: ['sign'] } },
    /key_ops hold verify/,
  ],
  ['key_ops of a public part alone', { public: { ...publicJwk, key_ops: ['encrypt'] } }, /key_ops hold verify/],
]

const misplaced: [what: string, secret: unknown, reason?: RegExp][] = [
  ['a private key as the public part', { public: privateKey }, /must have a public key as its public part$/],
  ['a private PEM as the public part', { public: pemOf(privateKey) }],
  ['a private PEM in a Buffer as the public part', { public: Buffer.from(pemOf(keys.RSA.privateKey, 'pkcs1')) }],
  ['a private JWK as the public part', { public: jwk }],
  ['a private JWK of RSA as the public part', { public: jwkOf(keys.RSA.privateKey) }],
  [
    'a private JWK of Ed25519 as the public part',
    { private: keys.Ed25519.privateKey, public: jwkOf(keys.Ed25519.privateKey) },
  ],
  ['a private PEM after the public one', { public: pemOf(publicKey) + pemOf(privateKey) }],
  ['a public key as the private part', { private: publicKey }, /must have a private key as its private part$/],
  ['a public PEM as the private part', { private: pemOf(publicKey) }, /must have a private key as its private part$/],
  ['a public JWK as the private part', { private: publicJwk }],
  ['a secret KeyObject as the private part', { private: createSecretKey(Buffer.from(secret)) }],
  ['an HMAC secret as the private part', { private: secret }],
  ['a JWK of HMAC', { private: { kty: 'oct', k: 'GawgguFyGrWKav7AX4VKUg' } }],
  ['a JWK of HMAC as the public part', { public: { kty: 'oct', k: 'GawgguFyGrWKav7AX4VKUg' } }],
  [
    'parts of two keys',
    { private: privateKey, public: other['P-256'].publicKey },
    /must have a public part that belongs to its private one$/,
  ],
  ['parts of two types', { private: privateKey, public: keys.RSA.publicKey }],
  ['parts of two RSA keys', { private: jwkOf(keys.RSA.privateKey), public: pemOf(other.RSA.publicKey) }],
  [
    'a JWK with the d of another curve key',
    { private: { ...jwk, d: jwkOf(other['P-256'].privateKey).d } },
    /must have a private part whose members belong together$/,
  ],
  [
    'a JWK with the d of another RSA key',
    { private: { ...jwkOf(keys.RSA.privateKey), d: jwkOf(other.RSA.privateKey).d } },
  ],
  [
    'a JWK with the n of another RSA key',
    { private: { ...jwkOf(keys.RSA.privateKey), n: jwkOf(other.RSA.privateKey).n } },
  ],
  [
    'a JWK with the q of another RSA key',
    { private: { ...jwkOf(keys.RSA.privateKey), q: jwkOf(other.RSA.privateKey).q } },
  ],
  [
    'a JWK with a d that suits one of its primes',
    { private: { ...jwkOf(keys.RSA.privateKey), d: exponentOfOnePrime(keys.RSA.privateKey) } },
  ],
  [
    'a JWK whose primes are one and its modulus',
    { private: { ...jwkOf(keys.RSA.privateKey), p: 'AQ', q: jwkOf(keys.RSA.privateKey).n } },
  ],
  [
    'a JWK with the d of another Ed25519 key',
    { private: { ...jwkOf(keys.Ed25519.privateKey), d: jwkOf(other.Ed25519.privateKey).d } },
  ],
  ['a point that is not on the curve', { public: { ...publicJwk, y: publicJwk.x } }],
  ['a JWK of another curve', { private: { ...jwk, crv: 'P-384' } }],
  ['a JWK of another type', { private: { ...jwk, kty: 'RSA' } }],
  ['a JWK of no type', { private: { ...jwk, kty: undefined } }],
  [
    'an encrypted PEM',
    { private: privateKey.export(passphrase) },
    /must have a private part that is a PEM, a KeyObject or a JWK$/,
  ],
  ['an encrypted PEM as the public part', { public: privateKey.export(passphrase) }],
  ['DER', { private: privateKey.export({ format: 'der', type: 'pkcs8' }) }],
  ['a PEM cut short', { private: pemOf(privateKey).slice(0, -40) }],
  ['an empty text', { private: '' }],
  ['null', { private: null }],
  ['a number', { private: 5 }],
  ['a list', { private: [privateKey] }],
  ['an object of another class', { private: new Map(Object.entries(jwk)) }],
  ['a date as a part', { public: new Date() }],
  ['neither part', {}, /must have a private or a public part$/],
  ['a name alone', { kid: 'x' }],
  ['a KeyObject by itself', privateKey],
  ['a JWK by itself', jwk],
  ['a pair of node:crypto', { privateKey, publicKey }],
  [
    'a member that nobody knows',
    { private: privateKey, passphrase: 'x' },
    /must be a string, a Buffer, or an object of private, public, kid and algorithm$/,
  ],
  ['an object of another class by itself', Object.create({ private: privateKey })],
]

const names: [what: string, kid: unknown][] = [
  ['an empty name', ''],
  ['a long name', 'x'.repeat(129)],
  ['a name with a space', 'a b'],
  ['a name with a quote', 'a"b'],
  ['a name with a slash', 'a/b'],
  ['a name with a line feed', 'a\n'],
  ['a name of letters from elsewhere', 'ключ'],
  ['a number', 5],
  ['a list', ['a']],
  ['an object', { toString: () => 'a' }],
]

t.test('keys that are too weak, or of a kind that tokens are not signed with, are refused', async (t) => {
  for (const [what, secret, reason] of weak) {
    await requireRefusal(t, { secret: secret as Secret & {} }, what, reason)
    await requireRefusal(
      t,
      { secret: [{ private: keys.Ed25519.privateKey }, secret] as Secret & {} },
      `${what}, in a list`,
      /secret\[1\]/
    )
  }
})

t.test('an RSA key may have 8192 bits', async (t) => {
  const { get } = await build(t, {
    secret: { public: { kty: 'RSA', e: 'AQAB', n: Buffer.alloc(1024, 0xcd).toString('base64url') } },
  })
  t.match((await get('/auth/jwks.json')).json(), { keys: [{ alg: 'RS256' }] })
})

t.test('a key is refused for an algorithm that is not its own', async (t) => {
  for (const [what, secret, algorithm, reason] of unfit) {
    await requireRefusal(t, { secret, ...algorithm !== undefined && { algorithm } } as AccountsOptions, what, reason)
  }
})

t.test('a JWK is refused for what it says it is not for', async (t) => {
  for (const [what, secret, reason] of purposes) {
    await requireRefusal(t, { secret: secret as Secret & {} }, what, reason)
  }
})

t.test('a key in the wrong place, in pieces or in no known form is refused', async (t) => {
  for (const [what, secret, reason] of misplaced) {
    await requireRefusal(t, { secret: secret as Secret & {} }, what, reason)
  }
})

t.test('a name that would not do in a header or a path is refused', async (t) => {
  for (const [what, kid] of names) {
    await requireRefusal(t, { secret: { private: privateKey, kid: kid as string } }, what, /kid/)
    await requireRefusal(t, { secret: { private: { ...jwk, kid: kid as string } } }, `${what} in a JWK`, /kid/)
  }
})

t.test('a list of keys is refused as a whole', async (t) => {
  const [one, two] = [{ private: privateKey }, { private: keys.Ed25519.privateKey }]
  const lists: [what: string, secret: unknown, reason: RegExp][] = [
    ['no keys', [], /must hold a key/],
    ['a key twice', [one, { private: pemOf(privateKey) }], /different names/],
    ['a key and its public part', [one, { public: publicKey }], /different names/],
    ['a secret twice', [secret, Buffer.from(secret)], /different names/],
    [
      'two keys of one name',
      [
        { ...one, kid: 'x' },
        { ...two, kid: 'x' },
      ],
      /different names/,
    ],
    [
      'two keys of one name, once in a JWK',
      [{ private: { ...jwk, kid: 'x' } }, { ...two, kid: 'x' }],
      /different names/,
    ],
    ['a public key before one that signs', [{ public: publicKey }, two], /begin with a key that signs/],
    ['a public key before a secret', [{ public: publicKey }, secret], /begin with a key that signs/],
    ['a list in a list', [[one]], /secret\[0\]/],
    ['a hole', [one, undefined], /secret\[1\]/],
    ['two that are wrong', ['short', { private: 'x' }], /secret\[0\].*secret\[1\]/],
  ]
  for (const [what, secret, reason] of lists) await requireRefusal(t, { secret: secret as Secret & {} }, what, reason)
})

t.test('one RSA key does not sign by two algorithms under two names', async (t) => {
  const { privateKey } = keys.RSA
  await requireRefusal(
    t,
    {
      secret: [
        { private: privateKey, kid: 'one', algorithm: 'RS256' },
        { private: privateKey, kid: 'two', algorithm: 'PS256' },
      ],
    },
    'RS256 and PS256'
  )
})

t.test('a PEM with something before it is refused, or its text is no secret', async (t) => {
  const spellings = (pem: string) => ({
    ...spellingsOfPem('spki', pem),
    'after a comment': `# a comment\n${pem}`,
    'after spaces': `   ${pem}`,
    'after tabs and lines': `\t\r\n\n${pem}`,
  })
  const names = Object.keys(spellings(pemOf(publicKey)))
  const pems = names.map(() => pemOf(ec('P-256').publicKey))
  const texts = pems.map((pem, at) => Object.values(spellings(pem))[at]!)
  const start = (texts: string[]) =>
    build(t, { secret: [{ private: privateKey }, ...texts.map((text) => ({ public: text }))] })

  const error = await start(texts).then(() => undefined, (error) => error)
  const refused = [...error?.message.matchAll(/secret\[(\d+)\]/g) ?? []].map(([, at]) => Number(at) - 1)
  const accepted = [...texts.keys()].filter((at) => !refused.includes(at))
  t.comment(`refused: ${refused.map((at) => names[at]).join('; ')}`)
  t.ok(accepted.length > 0, 'a PEM is taken')

  const { get, signUp } = await start(accepted.map((at) => texts[at]!))
  const { header, payload } = decode((await signUp()).access_token)
  const [, ...published] = (await get('/auth/jwks.json')).json().keys
  for (const [index, at] of accepted.entries()) {
    const forged = [texts[at]!, texts[at]!.trim(), pems[at]!, pems[at]!.trim()].flatMap((key) =>
      [header.kid, published[index].kid].flatMap((kid) =>
        ['HS256', 'ES256'].map((alg) => mint({ ...header, alg, kid }, payload, key))
      )
    )
    const statuses = await Promise.all(forged.map(async (token) => (await get('/auth/me', token)).statusCode))
    t.strictSame([...new Set(statuses)], [401], names[at]!)
  }
})

/** Published JWK configurations, where they lie beside the checkout. */
const file = new URL('../../../shared/vectors/wycheproof_jwk.json', import.meta.url)
const skip = existsSync(file) ? false : 'there are no published vectors beside the checkout'

t.test('of the published key sets, the wrong ones are refused and the right ones verify', { skip }, async (t) => {
  const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as {
    vectors: { id: string; expect: string; flags: string[]; comment: string; jwks: { keys: Jwk[] } }[]
  }
  const asymmetric = vectors.filter(({ jwks }) => jwks.keys.every(({ kty }) => kty !== 'oct'))
  const secretOf = ({ jwks }: typeof vectors[number]): Secret & {} => jwks.keys.map((key) => ({ public: key }))

  for (const vector of asymmetric) {
    const what = `${vector.id}, ${vector.comment}`
    if (vector.expect === 'invalid') {
      await requireRefusal(t, { secret: secretOf(vector) }, what)
      continue
    }
    const { get } = await build(t, { secret: secretOf(vector) })
    t.match(
      (await get('/auth/jwks.json')).json(),
      { keys: vector.jwks.keys.map(({ kid, kty }) => ({ kid, kty, use: 'sig' })) },
      what
    )
  }
  t.ok(asymmetric.length >= 10, 'some are asymmetric')

  for (const vector of vectors.filter((vector) => !asymmetric.includes(vector))) {
    await requireRefusal(t, { secret: secretOf(vector) }, vector.id)
  }
})
