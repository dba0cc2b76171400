import { execFile } from 'node:child_process'
import { pbkdf2Sync, scryptSync } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as argon2 from 'argon2'
import t from 'tap'
import { legacy, type PasswordVerifier } from '../../../lib/index.ts'
import { build, buildOnFile, password } from '../../support/build.ts'
import { processorMs } from '../../support/waiting.ts'

const wrong = `${password}!`
const verifiers = [legacy.bcrypt({ cost: 5 }), legacy.scrypt({ N: 4096 }), legacy.pbkdf2({ iterations: 1000 })]

/** What other systems have made of the password: werkzeug 3, Django 5, passlib 1.7 and Python's bcrypt. */
const made = {
  'Werkzeug, scrypt':
    'scrypt:1024:8:1$GYnWDLzezsrDSRsA$50613e0f4bf55cfdf99f1b62116413f8f0ad8b790fa99fe19626de106fb54cba236b1e088af858ea611d4ef24e760c8ef88b1af6a290bbb4184c3637e695e7c3',
  'Werkzeug, PBKDF2':
    'pbkdf2:sha256:1000$Plhl5kIAocYGstjU$2ed72ec8736d5977f20dd32e04f36de5602f84cc54dcd659b49684efdb40de1e',
  'Werkzeug, PBKDF2 with SHA-512':
    'pbkdf2:sha512:900$rcVEBjGXo6lxu1dr$adb975cc6d7ae982de631065eb45a21ce72ba7d36877b529d1e98552b7b4cf0ea74a1ac72dbc82b1c9bca52d8a8f38d56d3ef55acdcde981a7fc8f4adf4df466',
  'Django, PBKDF2': 'pbkdf2_sha256$1000$NaCl2saltsalt9$Q7CR7Y1LMpJqp9u/49SxkahbrfwvDFwbpTDQbJBFKgs=',
  'Django, PBKDF2 with SHA-1': 'pbkdf2_sha1$1000$NaCl2saltsalt9$ISzB7ecLuPh6DIK11nEA6Mr/GsM=',
  'Django, scrypt':
    'scrypt$1024$NaCl2saltsalt9$8$1$BNLq5wqzi9yiFGlOR9JhbqvHyXSHO2hEogJ6Kgy92tZqIRfUJ2ic+NEJ2vgVG7VDhVRMdefGAtekjmOIPFQiVQ==',
  'passlib, PBKDF2': '$pbkdf2-sha256$1000$ee8dY0xJqVVqLeXcW2stZQ$F5Y3ehkn326P0iji3.l6Lkxw3p81QTQURZ7N7vX9MbY',
  'passlib, PBKDF2 with SHA-512':
    '$pbkdf2-sha512$900$nZPSuhdiDGEMwVgLoXSOEQ$JNeDpBv03cAljTq5mIMhYpR.mvO2.5j1Nbf5rZYUDPLezG/bJVO7BwGPbL1fikSv5ohIZHN1jxJ4.5fuMu1xrg',
  'passlib, PBKDF2 with SHA-1': '$pbkdf2$1000$5LzXGsN4D2EMAUCoNca4tw$ys0Zn7lIBw3qg9OVEdXtx2ss9ns',
  'passlib, scrypt': '$scrypt$ln=10,r=8,p=1$mPNea00pBeBcy3kvZez9Hw$zP4wd0xZELdIaGLABuGiy9tf+dfkm4x92wYT5S5eYzA',
  'bcrypt, 2a': '$2a$04$JL.p2sSi0eGaF9aLrUcvTOD7btr76lcTGS4WY1N2QZOWCwVYsTs/q',
  'bcrypt, 2b': '$2b$04$ZcWDT1oGmN2/u2yliu8tZuY3MPLRB0XVx2S3vhYpiqsaqRFgO9fIC',
  'bcrypt of PHP, 2y': '$2y$04$ZcWDT1oGmN2/u2yliu8tZuY3MPLRB0XVx2S3vhYpiqsaqRFgO9fIC',
}

/** Who has this hash, as the database knows them after a login with this password; undefined when that was refused. */
async function logins (t: Parameters<typeof buildOnFile>[0], legacy: PasswordVerifier[] = verifiers) {
  const { app, sql, post } = await buildOnFile(t, { password: { legacy } })
  const { id } = await app.accounts.users.create({ username: 'ada', password })
  const stored = async () =>
    (await sql.get('select password_hash from accounts_users where id = ?', id))!.password_hash as string

  return async (hash: string, typed: string) => {
    await sql.run('update accounts_users set password_hash = ?', hash)
    const { statusCode } = await post('/auth/login', { username: 'ada', password: typed })
    t.ok([200, 401].includes(statusCode), `${statusCode}`)
    if (statusCode === 401) t.equal(await stored(), hash, 'a failed login changes nothing')
    return statusCode === 200 ? stored() : undefined
  }
}

t.test('people sign in with the passwords that other systems know, and from then on with argon2id', async (t) => {
  const login = await logins(t)
  for (const [system, hash] of Object.entries(made)) {
    t.equal(await login(hash, wrong), undefined, `${system}, wrong`)
    t.equal(await login(hash, ''), undefined, `${system}, empty`)
    const stronger = await login(hash, password)
    t.match(stronger, /^\$argon2id\$v=19\$m=1024,t=2,p=1\$/, system)
    t.equal(await argon2.verify(stronger!, password), true)
    t.equal(
      await login(
        hash.replace(/.(?=.{9}$)/, (digit) => (digit === 'a' ? 'b' : 'a')),
        password
      ),
      undefined,
      `${system}, damaged`
    )
  }
})

t.test('users come along with their hashes', async (t) => {
  const { app, post } = await build(t, { password: { legacy: verifiers } })
  const { users } = app.accounts
  for (const [index, hash] of Object.values(made).entries()) {
    t.match(await users.create({ username: `user-${index}`, roles: ['member'], passwordHash: hash }), {
      username: `user-${index}`,
      roles: ['member'],
    })
    t.equal((await post('/auth/login', { username: `user-${index}`, password: wrong })).statusCode, 401)
    t.equal((await post('/auth/login', { username: `user-${index}`, password })).statusCode, 200, hash)
  }
  await users.create({
    username: 'ours',
    passwordHash: await argon2.hash(password, { memoryCost: 1024, timeCost: 1, parallelism: 1 }),
  })
  t.match(await users.verifyPassword('ours', password), { username: 'ours' })
})

t.test(
  'a hash that nobody knows does not come along, nor one beside a password, and no client brings one',
  async (t) => {
    const { app, post } = await build(t, { password: { legacy: verifiers } })
    const { users } = app.accounts
    const ours = '$argon2id$v=19$m=1024,t=2,p=1$c2FsdHNhbHRzYWx0$c2FsdHNhbHRzYWx0c2FsdHNhbHQ'
    const known = [ours, ...Object.values(made)]
    const foreign = [
      '',
      ' ',
      'x',
      password,
      '$2b$04$short',
      '$2x$04$ZcWDT1oGmN2/u2yliu8tZuY3MPLRB0XVx2S3vhYpiqsaqRFgO9fIC',
      'md5$salt$hash',
      'x'.repeat(300),
      ...tooDear,
      ...known.flatMap((hash) => [` ${hash}`, `${hash} `]),
    ]
    for (const hash of foreign) {
      await t.rejects(
        users.create({ username: 'ada', passwordHash: hash }),
        { code: 'ACCOUNTS_INPUT_INVALID', message: /^body\/passwordHash / },
        hash
      )
    }
    for (const hash of [5, null, {}, ['x']]) {
      await t.rejects(users.create({ username: 'ada', passwordHash: hash as never }), {
        code: 'ACCOUNTS_INPUT_INVALID',
      })
    }
    await t.rejects(users.create({ username: 'ada', password, passwordHash: made['bcrypt, 2b'] }), {
      code: 'ACCOUNTS_INPUT_INVALID',
      message: /both/,
    })
    t.equal(await users.find('ada'), null)
    t.equal(
      (await post('/auth/register', { username: 'ada', password, passwordHash: made['bcrypt, 2b'] })).statusCode,
      400
    )
  }
)

/** Well-formed, and made to keep a process busy or to fill its memory. */
const tooDear = [
  '$2b$06$ZcWDT1oGmN2/u2yliu8tZuY3MPLRB0XVx2S3vhYpiqsaqRFgO9fIC',
  '$2b$31$ZcWDT1oGmN2/u2yliu8tZuY3MPLRB0XVx2S3vhYpiqsaqRFgO9fIC',
  made['Werkzeug, PBKDF2'].replace('1000', '1001'),
  made['Werkzeug, PBKDF2'].replace('1000', '9999999'),
  made['Werkzeug, PBKDF2'].replace('1000', '99999999999'),
  made['Werkzeug, PBKDF2'].replace('1000', '0'),
  made['Django, PBKDF2'].replace('1000', '2147483647'),
  made['passlib, PBKDF2'].replace('1000', '9000000'),
  ...[
    'ln=30',
    'ln=99',
    'ln=0',
    'ln=19',
    'ln=10,r=999',
    'ln=10,r=0',
    'ln=16,r=1',
    'ln=10,r=8,p=0',
    'ln=10,r=8,p=17',
    'ln=14,r=16,p=2',
  ].map((cost) =>
    made['passlib, scrypt'].replace('ln=10,r=8,p=1'.split(',').slice(0, cost.split(',').length).join(','), cost)
  ),
  made['Werkzeug, scrypt'].replace('1024', '1000'),
  made['Werkzeug, scrypt'].replace('1024', '99999999'),
  '$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHRzYWx0$c2FsdHNhbHRzYWx0c2FsdHNhbHQ',
  '$argon2id$v=19$m=1024,t=4294967295,p=1$c2FsdHNhbHRzYWx0$c2FsdHNhbHRzYWx0c2FsdHNhbHQ',
]

t.test('a hash of an absurd cost is a login that fails as usual, and takes no more than that', async (t) => {
  const login = await logins(t)
  const memory = process.memoryUsage().rss
  const taken = await processorMs(async () => {
    for (const hash of tooDear) t.equal(await login(hash, password), undefined, hash)
  })
  t.ok(taken / tooDear.length < 1500)
  t.ok(process.memoryUsage().rss - memory < 300e6)
})

t.test('raw keys come along in the form of PHC strings', async (t) => {
  t.notOk(
    legacy.scrypt({ N: 2 ** 16 }).knows(made['passlib, scrypt'].replace('ln=10,r=8', 'ln=16,r=1')),
    'RFC 7914 has no such cost'
  )
  const login = await logins(t)
  const salt = Buffer.from('0123456789abcdef')
  const base64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '')
  const forms = [
    `$scrypt$ln=11,r=8,p=2$${base64(salt)}$${base64(scryptSync(password, salt, 32, { N: 2048, r: 8, p: 2 }))}`,
    `$pbkdf2-sha256$i=700,l=32$${base64(salt)}$${base64(pbkdf2Sync(password, salt, 700, 32, 'sha256'))}`,
    `$pbkdf2-sha512$i=1000$${base64(salt)}$${base64(pbkdf2Sync(password, salt, 1000, 64, 'sha512'))}`,
  ]
  for (const hash of forms) {
    t.equal(await login(hash, wrong), undefined)
    t.ok(await login(hash, password), hash)
  }
})

t.test('a password is given to the other scheme as it was typed', async (t) => {
  const login = await logins(t)
  const umlauts = '$2b$05$S5Mnjj8h5wgzPYIMTN/kxeBKIGjzJHnwXo4mQg3QyxNvPEkgQzbWK'
  t.ok(await login(umlauts, 'Pässwörter für alle Fälle'))
  t.notOk(await login(umlauts, 'Pässwörter für alle Fälle'.normalize('NFD')))
})

t.test('the hashes of better-auth bear no name, and it normalises passwords', async (t) => {
  const login = await logins(t, [legacy.scrypt({ N: 16384, r: 16 })])
  const made =
    '00112233445566778899aabbccddeeff:f5b22309b28fe412c82a4b2cab57498b8f8a42c849af16cb908974048f61c13933421858db3a8f111430bdc493c7cef90f61f904061c77206e3820a2e8b11bc2'
  t.ok(await login(made, password))
  t.notOk(await login(made, wrong))
  const ligature =
    '00112233445566778899aabbccddeeff:5598b138dce28e86ab13a7c87e6392c37d8b2609b4cd8050996086dec05c3c444164755a50afb435d0087cf4d255fd819cc1279343c2d0f3b492eec89a02912d'
  t.ok(await login(ligature, 'ﬁve correct horse batteries'), 'a ligature is its letters')
  t.ok(await login(ligature, 'five correct horse batteries'))
})

t.test('bcrypt looks at 72 bytes, as it did there, and the whole password counts from then on', async (t) => {
  const login = await logins(t)
  const long = '$2b$04$7Fmi4qRKhza0GjVc0TFB/.sgsu57/CBEVnuUq21lrGf5BhoMc.uIO'
  t.notOk(await login(long, 'x'.repeat(71)))
  t.ok(await login(long, 'x'.repeat(72)))
  const stronger = await login(long, `${'x'.repeat(72)}and more`)
  t.equal(await argon2.verify(stronger!, `${'x'.repeat(72)}and more`), true)
  t.equal(await argon2.verify(stronger!, 'x'.repeat(72)), false)
  t.notOk(await login(made['bcrypt, 2b'], `${password}\0${password}`), 'a NUL repeats no key')
})

t.test('verifiers of the app\'s own are asked too, and one that throws is a 500 that says nothing', async (t) => {
  const shout: PasswordVerifier = {
    knows: (hash) => hash.startsWith('shout:'),
    async verify (hash, typed) {
      if (hash === 'shout:BROKEN') throw new Error(`the secret of ${typed}`)
      return hash === `shout:${typed.toUpperCase()}`
    },
    decoy: 'shout:',
  }
  const { app, post } = await build(t, { password: { legacy: [...verifiers, shout] } })
  await app.accounts.users.create({ username: 'ada', passwordHash: `shout:${password.toUpperCase()}` })
  t.equal((await post('/auth/login', { username: 'ada', password: wrong })).statusCode, 401)
  t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 200)

  await app.accounts.users.create({ username: 'eve', passwordHash: 'shout:BROKEN' })
  const { statusCode, body } = await post('/auth/login', { username: 'eve', password })
  t.equal(statusCode, 500)
  t.strictSame(JSON.parse(body), { statusCode: 500, error: 'Internal Server Error', message: 'Internal Server Error' })
})

t.test('anything but true from a verifier is no', async (t) => {
  const lenient = {
    knows: (hash: string) => hash === 'x',
    verify: async (hash: string) => (hash === 'x' ? 'yes' : false),
    decoy: 'x',
  }
  await t.rejects(
    build(t, { password: { legacy: [lenient as never] } }),
    { message: /password\.legacy\[0\] does not work/ },
    'a decoy that somebody has'
  )
  const app = await build(t, {
    password: { legacy: [{ ...lenient, knows: (hash: string) => hash.startsWith('x'), decoy: 'xx' } as never] },
  })
  await app.app.accounts.users.create({ username: 'ada', passwordHash: 'x' })
  t.equal((await app.post('/auth/login', { username: 'ada', password })).statusCode, 401)
})

t.test('a verifier that cannot work keeps the app from starting', async (t) => {
  const refused = [
    legacy.bcrypt({ cost: 3 }),
    legacy.bcrypt({ cost: 17 }),
    legacy.bcrypt({ cost: NaN }),
    legacy.bcrypt({ cost: 10.5 }),
    legacy.bcrypt({} as never),
    legacy.pbkdf2({ iterations: 0 }),
    legacy.pbkdf2({ iterations: 1e8 }),
    legacy.pbkdf2({ iterations: 1.5 }),
    legacy.pbkdf2({ iterations: 1000, digest: 'md5' as never }),
    legacy.scrypt({ N: 1000 }),
    legacy.scrypt({ N: 2 ** 24 }),
    legacy.scrypt({ N: 1024, r: 0 }),
    legacy.scrypt({ N: 1024, p: 17 }),
    {
      knows: () => {
        throw new Error('broken')
      },
      verify: async () => false,
      decoy: 'x',
    },
  ]
  for (const verifier of refused) {
    await t.rejects(
      build(t, { password: { legacy: [legacy.pbkdf2({ iterations: 1 }), verifier] } }),
      { code: 'ACCOUNTS_OPTIONS_INVALID', message: /password\.legacy\[1\] does not work: Error: / },
      verifier.decoy
    )
  }
})

t.test('without its package bcrypt keeps the app from starting, and says what to install', async (t) => {
  const failed = await promisify(execFile)(process.execPath, [
    join(import.meta.dirname, '..', '..', 'support', 'without-bcrypt.ts'),
  ]).catch((error) => error)
  t.match(
    failed.stderr,
    /password\.legacy\[0\] does not work: Error: legacy\.bcrypt needs a package that is not there: npm install @node-rs\/bcrypt/
  )
})

t.test('a package of bcrypt that is there and fails is not said to be missing', async (t) => {
  const failed = await promisify(execFile)(process.execPath, [
    join(import.meta.dirname, '..', '..', 'support', 'without-bcrypt.ts'),
    'It was compiled for another Node',
  ]).catch((error) => error)
  t.match(failed.stderr, /password\.legacy\[0\] does not work: Error: It was compiled for another Node/)
  t.notMatch(failed.stderr, /npm install/)
})

/** What each scheme was asked for, in order. */
async function watched (t: Parameters<typeof build>[0]) {
  const asked: string[] = []
  const watch = (verifier: PasswordVerifier): PasswordVerifier => ({
    ...verifier,
    async verify (hash, typed) {
      asked.push(hash)
      return verifier.verify(hash, typed)
    },
  })
  const { app, sql, post } = await buildOnFile(t, { password: { legacy: verifiers.map(watch) } })
  await app.accounts.users.create({ username: 'ada', password })
  return async (hash: string | undefined, typed: string) => {
    if (hash !== undefined) await sql.run('update accounts_users set password_hash = ?', hash)
    asked.length = 0
    await post('/auth/login', { username: hash === undefined ? 'nobody' : 'ada', password: typed })
    return [...asked]
  }
}

t.test('a login that fails asks every scheme once, and one of the right password those before it', async (t) => {
  const asked = await watched(t)
  const decoys = verifiers.map(({ decoy }) => decoy)
  const argon2id = await argon2.hash(password, { memoryCost: 1024, timeCost: 2, parallelism: 1 })
  for (const hash of [undefined, '', 'x', ...tooDear, argon2id]) { t.strictSame(await asked(hash, wrong), decoys, `${hash}`) }
  t.strictSame(await asked(made['bcrypt, 2b'], wrong), [made['bcrypt, 2b'], decoys[1], decoys[2]])
  t.strictSame(await asked(made['passlib, scrypt'], wrong), [decoys[0], made['passlib, scrypt'], decoys[2]])
  t.strictSame(await asked(made['Django, PBKDF2'], wrong), [decoys[0], decoys[1], made['Django, PBKDF2']])
  t.strictSame(await asked(made['passlib, scrypt'], password), [decoys[0], made['passlib, scrypt']])
  t.strictSame(await asked(argon2id, password), [], 'no more than argon2id for those who have it')
})

t.test('a wrong password for a cheaper hash of another scheme costs what one of the full cost costs', async (t) => {
  const cheaper: [PasswordVerifier, string][] = [
    [legacy.bcrypt({ cost: 9 }), made['bcrypt, 2b']],
    [legacy.pbkdf2({ iterations: 100_000 }), made['Django, PBKDF2']],
    [legacy.scrypt({ N: 16384 }), made['passlib, scrypt']],
  ]
  for (const [verifier, hash] of cheaper) {
    const taken: [number[], number[]] = [[], []]
    for (let round = 0; round < 15; round++) {
      for (const [index, stored] of [hash, verifier.decoy].entries()) {
        taken[index]!.push(await processorMs(async () => t.equal(await verifier.verify(stored, wrong), false)))
      }
    }
    const [stored, decoy] = taken.map((times) => times.sort((a, b) => a - b)[7]!) as [number, number]
    t.ok(
      stored / decoy > 0.6 && stored / decoy < 1.6,
      `${hash.slice(0, 12)} ${stored.toFixed(1)} ms, ${decoy.toFixed(1)} ms`
    )
  }
})
