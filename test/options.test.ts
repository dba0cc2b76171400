// In a process of its own: it sets the environment and the directory.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { mock } from 'node:test'
import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import accounts, { type AccountsOptions, type Duration } from '../lib/index.ts'
import { build, cheap, client, decode, mint, password, secret } from './support/build.ts'
import { Fastify } from './support/fastify.ts'

const variables = [
  'JWT_SECRET_KEY', 'JWT_ACCESS_TOKEN_EXPIRES', 'JWT_REFRESH_TOKEN_EXPIRES', 'ACCOUNTS_DATABASE_URL', 'NODE_ENV',
]

/** Only these variables are set in the test; afterwards all are as they were. */
function environment (t: Test, given: Record<string, string> = {}) {
  const before = variables.map((name) => [name, process.env[name]] as const)
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  t.teardown(() => before.forEach(([name, value]) => set(name, value)))
  variables.forEach((name) => set(name, given[name]))
}

environment(t)

/** One moment until the end of the test, so that seconds can be counted. */
function stopTheClock (t: Test) {
  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  t.teardown(() => mock.timers.reset())
}

/** An app with nothing but these options. */
async function start (t: Test, options: unknown) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(accounts, options as AccountsOptions)
  return client(app)
}

/** What the plugin has against these options, one sentence each; nothing when it starts. */
async function problemsOf (t: Test, options: object): Promise<string[]> {
  const error = await start(t, { db: ':memory:', secret, ...options }).then(() => undefined, (error) => error)
  if (!error) return []

  t.match(error, { code: 'ACCOUNTS_OPTIONS_INVALID', message: /^fastify-jwt-accounts cannot start: / })
  return error.message.slice('fastify-jwt-accounts cannot start: '.length).split('; ')
}

/** `nest({ 'a.b': 1, 'a.c': 2 })` is `{ a: { b: 1, c: 2 } }`. */
function nest (values: Record<string, unknown>): object {
  const options: Record<string, unknown> = {}
  for (const [path, value] of Object.entries(values)) {
    const names = path.split('.')
    const last = names.pop()!
    const group = names.reduce((group, name) => (group[name] ??= {}) as typeof options, options)
    group[last] = value
  }
  return options
}

/** Gives every option of the table its first bad value, then every one its second, and so on: each is named. */
async function areNamed (t: Test, table: Record<string, unknown[]>) {
  const rounds = Math.max(...Object.values(table).map((values) => values.length))
  for (let round = 0; round < rounds; round++) {
    const rows = Object.entries(table).filter(([, values]) => round < values.length)
    const bad = Object.fromEntries(rows.map(([name, values]) => [name, values[round]]))
    const problems = await problemsOf(t, nest(bad))
    for (const [name, value] of Object.entries(bad)) {
      t.ok(problems.some((problem) => new RegExp(`^${name}[ .]`).test(problem)), `${name}: ${inspect(value)}`)
    }
  }
}

const noDurations = [
  '900',
  '15 minutes',
  -1,
  NaN,
  Infinity,
  null,
  'abc',
  '15 m',
  '1.5h',
  true,
  [],
  {},
  ['15m'],
  315360001,
  1.5,
  false,
  '',
  '-15m',
  '15M',
  ' 15m',
  '15m\n',
  '1e3s',
  '15m15s',
  'm',
  '١٥m',
  '9999999999s',
  '3651d',
  900n,
  () => '15m',
  { toString: () => '15m' },
]

t.test('a duration is whole seconds, or a number and one unit', (t) => areNamed(t, {
  'access.expiresIn': [...noDurations, 0, -0, '0s', '00d'],
  'refresh.expiresIn': [...noDurations, 0, -0, '0s', '00d'],
  'refresh.maxAge': [...noDurations, 0, -0, '0s', '00d'],
  'refresh.window': noDurations,
  'revocation.pollInterval': [...noDurations, 0, '61s'],
  'revocation.maxStaleness': [...noDurations, 0, '301s'],
  'prune.interval': [...noDurations, '8d'],
  'password.breached.timeout': [...noDurations, 0, '61s'],
  'admin.impersonation.maxAge': [...noDurations, 0],
}))

t.test('an option of the wrong form is refused by name', (t) =>
  areNamed(t, {
    secret: [5, null, {}, '', 'too short', Buffer.alloc(31, 'x7'), () => secret],
    db: [
      '',
      5,
      null,
      {},
      'sqlite://x.sqlite',
      'a\0b',
      'file:x.sqlite',
      'mongodb://localhost/app',
      'postgresql:app',
      'postgresql:/app',
      'mysql://root@localhost',
      'mariadb://root@localhost/',
      'postgresql://ada:%@localhost/app',
      'mysql://ada:pass%ffword@localhost/app',
      'postgresql://localhost:99999/app',
      ...['0', '-1', 'many', '', '10000'].map((size) => `MariaDB://root@localhost/app?connection_limit=${size}`),
    ],
    prefix: [
      5,
      null,
      'auth',
      '/',
      '/auth/',
      '//auth',
      '/a//b',
      '/a b',
      '/:id',
      '/*',
      '/a?b',
      '/ä',
      '/a\n',
      '/.',
      '/..',
      '/a/../b',
      'x://y',
    ],
    issuer: ['', 'x'.repeat(256), 5, null, /x/g],
    audience: ['', 'x'.repeat(256), 5, null, [], [''], ['x', 'x'], [5]],
    'refresh.replay': ['', 'until-whenever', true, null],
    identifiers: ['username', [], null, {}, ['username', 'username'], ['username', 'phone'], [null]],
    'password.minLength': [7, -15, 257, 15.5, NaN, '15', null, true, [15]],
    'password.maxLength': [63, -1, 1025, 64.5, Infinity, '256', null, true, [256]],
    'password.blocklist': [null, 'true', 1, [], {}],
    'password.contextWords': ['acme', [''], ['ab'], [5], ['x'.repeat(65)], {}, null],
    'password.check': [true, null, 'x', {}, /x/],
    'password.breached.url': [
      '',
      'x',
      '/range/',
      'https://',
      'ftp://a.example/',
      'file:///range/',
      'javascript:1',
      'https://ada:secret@a.example/',
      'https://ada@a.example/',
      null,
      5,
    ],
    'password.breached.whenUnreachable': ['', 'reject', true, null],
    'password.breached.minCount': [0, -1, 1.5, NaN, Infinity, '1', null],
    'password.argon2.memoryCost': [1023, -1, 4194305, 1024.5, NaN, '19456', null],
    'password.argon2.timeCost': [0, -1, 1001, 1.5, Infinity, '2', null],
    'password.argon2.parallelism': [0, -1, 129, 1.5, NaN, '1', null],
    'password.concurrency': [0, -1, 1.5, NaN, Infinity, '2', null, 4096],
    'password.waiting': [-1, 10001, 1.5, NaN, '100', null],
    'password.hasher': [
      null,
      5,
      'argon2',
      {},
      [],
      { hash: async () => '', verify: async () => true },
      { hash: 1, verify: 2, needsRehash: 3 },
    ],
    'password.legacy': [
      null,
      5,
      'bcrypt',
      {},
      [null],
      ['bcrypt'],
      [{}],
      [{ knows: () => true, verify: async () => true }],
      [{ verify: async () => true, decoy: 'x' }],
    ],
    'password.pepper': [null, 5, {}, '', 'too short', [], [null], [5], Buffer.alloc(31, 'x7'), [secret, secret]],
    'routes.register': [
      5,
      null,
      {},
      '',
      'sign-up',
      '/',
      '/a/',
      '//a',
      '/a//b',
      '/a b',
      '/:id',
      '/*',
      '/a?b',
      '/a\n',
      '/..',
      '/./a',
    ],
    'routes.login': [1, null, [], '', 'sign-in', '/', '/ä'],
    'routes.refresh': [0, null, [], '', 'renew', '/'],
    'routes.logout': [0, null, [], '', 'sign-out', '/'],
    'routes.me': [0, null, [], '', 'whoami', '/'],
    'routes.reauthenticate': [0, null, [], '', 'again', '/'],
    'routes.sessions': [0, null, [], '', 'devices', '/'],
    'routes.password': [0, null, [], '', 'secret', '/'],
    'routes.users': [0, null, [], '', 'people', '/'],
    'routes.jwks': [0, null, [], '', 'keys', '/'],
    'routes.revoke': [0, null, [], '', 'revoke', '/'],
    'routes.introspect': [0, null, [], '', 'introspect', '/'],
    'hooks.onRegister': [true, null, {}, 'x'],
    'hooks.onLogin': [true, null, {}, 'x'],
    'hooks.onLoginFailed': [true, null, {}, 'x'],
    'hooks.onRefresh': [true, null, {}, 'x'],
    'hooks.onLogout': [true, null, {}, 'x'],
    'hooks.onReuse': [true, null, {}, 'x'],
    'hooks.onRegistered': [true, null, {}, 'x'],
    'hooks.onPasswordChanged': [true, null, {}, 'x'],
    'sessions.max': [0, -1, 1001, 1.5, NaN, '50', null],
    'sessions.whenFull': ['', 'end-newest', true, null],
    throttle: [true, null, 0, '', 'off', []],
    'revocation.wake': [true, null, {}, 'x'],
    algorithm: ['', 'none', 'hs256', 'HS512', 'RS512', 'Ed25519', null, 5, ['HS256']],
    name: ['', 'Admins', '1st', 'a-b', 'a b', 'a;drop', 'x'.repeat(32), null, 5],
    decoratorName: ['', '1st', 'a b', 'a-b', null, 5],
    leeway: [...noDurations, 301, '6m'],
    claims: [{}, null, 'x', 5, []],
    verifyClaims: [true, null, 'x', {}],
    isRevoked: [false, null, 'x', {}],
    headerFields: [null, 'x', 5, [], { a: null }, { a: {} }, { a: () => 1 }],
    transport: ['', 'cookies', 'header', true, null, ['cookie']],
    'cookies.access.name': ['', 'a b', 'a;b', 'a=b', 'ä', 'a\n', 'x'.repeat(65), null, 5],
    'cookies.refresh.path': ['', 'auth', '/a;b', '/a b', '/a\n', '/ä', null, 5],
    'cookies.csrf.name': ['', 'a,b', 'a"b', null],
    'cookies.domain': ['', 'a b', 'a;b', 'https://a.example', 'a..example', null, 5],
    'cookies.sameSite': ['', 'Lax', true, false, null],
    'cookies.secure': ['', 'true', 1, null],
    'cookies.partitioned': ['', 1, null],
    'cookies.persistent': ['', 1, null],
    'csrf.header': ['', 'a b', 'a:b', 'ä', null, 5],
    'csrf.trustedOrigins': [
      'https://a.example',
      [5],
      ['*'],
      ['https://a.example/'],
      ['https://*.example'],
      ['HTTPS://a.example'],
      ['https://a.example:443'],
      ['null'],
      ['a.example'],
      ['http:'],
      null,
    ],
    'csrf.methods': ['POST', [], ['post'], [5], null],
    'csrf.formField': ['', null, 5],
    locations: ['header', [], ['headers'], ['header', 'header'], null, {}],
    'header.name': ['', 'a b', 'a:b', null, 5],
    'header.scheme': ['a b', 'a,b', 'ä', null, 5],
    realm: ['', 'a"b', 'a\\b', 'a\nb', 'ä', null, 5],
    'introspection.clients': [null, {}, [5], [{}], [{ id: 'a' }], [{ id: '', secret: 'x'.repeat(32) }]],
    'messages.ACCOUNTS_FORBIDDEN': [null, 5, {}, []],
  })
)

t.test('a group of options is a group', async (t) => {
  const noGroups = [null, 'x', 15, true, [], () => ({})]
  await areNamed(t, {
    access: noGroups,
    refresh: noGroups,
    password: noGroups,
    routes: noGroups,
    cookies: noGroups,
    csrf: noGroups,
    header: noGroups,
    hooks: noGroups,
    introspection: noGroups,
    revocation: noGroups,
    prune: noGroups,
    sessions: noGroups,
    user: noGroups,
    messages: noGroups.slice(0, 5),
  })
  await areNamed(t, { 'password.argon2': noGroups, 'password.breached': [...noGroups, false] })
})

t.test('an option that there is not is refused at every depth', async (t) => {
  const groups = [
    'access.',
    'cookies.',
    'cookies.csrf.',
    'csrf.',
    'header.',
    'hooks.',
    'introspection.',
    'password.',
    'password.argon2.',
    'password.breached.',
    'prune.',
    'refresh.',
    'revocation.',
    'routes.',
    'sessions.',
    'user.',
    '',
  ]
  const names = groups.map((group) => `${group}nonsense`)
  for (const value of [1, null, {}, () => 'x']) {
    const problems = await problemsOf(t, nest(Object.fromEntries(names.map((name) => [name, value]))))
    t.strictSame(problems.toSorted(), names.map((name) => `${name} is not an option`).toSorted())
  }
  for (const name of ['__proto__', 'constructor', 'expiresIn', 'Prefix', '']) {
    t.strictSame(await problemsOf(t, JSON.parse(`{ "${name}": {} }`)), [`${name} is not an option`])
  }
})

t.test('options that contradict each other are refused', async (t) => {
  const access = /^access\.expiresIn .*must not be longer than refresh\.expiresIn/
  const refresh = /^refresh\.expiresIn .*must not be longer than refresh\.maxAge/
  const lengths = /^password\.minLength must not be more than password\.maxLength/
  const memory = /^password\.argon2\.memoryCost must be at least 8 times password\.argon2\.parallelism/
  const contradictions: [options: object, problems: RegExp[]][] = [
    [{ access: { expiresIn: '31d' } }, [access]],
    [{ refresh: { expiresIn: '181d' } }, [refresh]],
    [{ refresh: { maxAge: '29d' } }, [refresh]],
    [{ access: { expiresIn: '3h' }, refresh: { expiresIn: '2h', maxAge: '1h' } }, [access, refresh]],
    [{ revocation: { pollInterval: 5 } }, [/^revocation\.pollInterval must be shorter than revocation\.maxStaleness/]],
    [{ password: { minLength: 200, maxLength: 199 } }, [lengths]],
    [{ password: { argon2: { memoryCost: 1024, parallelism: 129 } } }, [/^password\.argon2\.parallelism /, memory]],
    [
      {
        password: {
          argon2: {},
          hasher: { hash: async () => '$x$', verify: async () => true, needsRehash: () => false },
        },
      },
      [/^password\.hasher and password\.argon2 are two ways/],
    ],
    [
      { password: { hasher: { hash: async () => '$x$', verify: async () => true } } },
      [/^password\.hasher must have the functions hash, verify and needsRehash$/],
    ],
    [
      { password: { legacy: [{ knows: () => true, verify: async () => false, decoy: 'x' }, {}] } },
      [/^password\.legacy must be a list of verifiers/],
    ],
    [
      { headerFields: { alg: 'none', crit: 'x' } },
      [/^headerFields\.alg is reserved/, /^headerFields\.crit is reserved/],
    ],
    [{ headerFields: { x: 'y'.repeat(400) } }, [/^headerFields must have at most 400 bytes/]],
    [{ messages: { ACCOUNTS_NONSENSE: 'x' } }, [/^messages\.ACCOUNTS_NONSENSE is not the code/]],
    [{ transport: 'cookie', locations: ['header'] }, [/^locations must hold cookie with transport cookie/]],
    [{ name: 'refresh' }, [/^name must not be refresh/]],
    [{ name: 'ticket', audience: 'x' }, [/^name must not be ticket/]],
    [{ audience: 'https://example.com/refresh' }, [/^audience must not be https:\/\/example\.com\/refresh/]],
    [{ audience: ['refresh', 'x/ticket', 'x/refresh/'] }, [/^audience must not be x\/ticket/]],
    [{ header: { scheme: '' } }, [/^header\.scheme '' needs a header\.name/]],
    [{ cookies: { sameSite: 'none', secure: false } }, [/^cookies\.sameSite 'none' needs cookies\.secure/]],
    [{ cookies: { partitioned: true, secure: false } }, [/^cookies\.partitioned needs cookies\.secure/]],
    [{ cookies: { access: { name: 'x' }, refresh: { name: 'x' } } }, [/^cookies must have different names/]],
    [{ cookies: { access: { name: '__host-x', path: '/x' } } }, [/^cookies\.access\.name __host-x goes with the path/]],
    [
      { cookies: { csrf: { name: '__Secure-x' }, secure: false } },
      [/^cookies\.csrf\.name __Secure-x needs cookies\.secure/],
    ],
  ]

  for (const [options, rules] of contradictions) {
    const problems = await problemsOf(t, options)
    t.match(problems, rules)
    t.equal(problems.length, rules.length)
  }
})

t.test('how many failures are free is a whole number', (t) => areNamed(t, {
  'throttle.accountNetwork': [0, -1, 1_000_001, 1.5, NaN, '5', null],
  'throttle.network': [0, -1, 1_000_001, 1.5, NaN, '50', null],
  'throttle.account': [0, -1, 1_000_001, 1.5, NaN, '100', null],
  'throttle.everybody': [5],
}))

t.test('two routes cannot have one path', async (t) => {
  for (const routes of [{ login: '/register' }, { login: '/in', register: '/in' }, { refresh: '/x', logout: '/x' }]) {
    await t.rejects(start(t, { db: ':memory:', secret, routes }), {
      code: 'ACCOUNTS_OPTIONS_INVALID', message: /routes\.(login|register|refresh|logout) /,
    })
  }
  const shared = { me: '/register', login: '/refresh', refresh: false } as const
  t.strictSame(await problemsOf(t, { routes: shared }), [], 'unless they differ in method, or one is off')
})

t.test('what only just agrees is accepted', async (t) => {
  const accepted: object[] = [
    {
      access: { expiresIn: '1h' },
      refresh: { expiresIn: '60m', maxAge: 3600, window: 0, replay: 'until-superseded' },
      password: { minLength: 64, maxLength: 64, argon2: { memoryCost: 1024, timeCost: 1, parallelism: 128 } },
      throttle: false,
    },
    {
      access: { expiresIn: 1 },
      refresh: { expiresIn: '3650d', maxAge: 315360000, window: '0s' },
      password: { minLength: 8, maxLength: 1024 },
      issuer: 'x'.repeat(255),
      audience: 'https://example.com/',
    },
    { revocation: { pollInterval: '1m', maxStaleness: '5m' }, prune: { interval: '1w' } },
    { revocation: { pollInterval: 1, maxStaleness: 2 }, prune: { interval: 0 } },
    { password: { blocklist: false, contextWords: ['abc', '🙂🙂🙂'], check: () => true, breached: {} } },
    {
      password: {
        breached: { url: 'http://127.0.0.1:8080/?prefix=', timeout: '1m', whenUnreachable: 'refuse', minCount: 100 },
      },
    },
    { prefix: '/a/b.c/d_e~f-1', routes: { login: '/in/here' }, identifiers: ['email', 'username'] },
    { access: undefined, refresh: { expiresIn: undefined }, prefix: undefined },
  ]

  for (const options of accepted) t.strictSame(await problemsOf(t, options), [])
})

t.test('everything that is wrong is named at once', async (t) => {
  const problems = await problemsOf(t, {
    secret: 'short',
    db: 'mongodb://ada:pass-word@localhost/app',
    prefix: 'auth',
    nonsense: 1,
    access: { expiresIn: '900', more: true },
    refresh: { window: -1, expiresIn: '200d' },
    identifiers: [],
    password: { minLength: 100, maxLength: 70, argon2: { timeCost: 0 } },
    routes: { login: 'sign-in' },
    throttle: true,
  })
  t.strictSame(problems.map((problem) => problem.split(' ')[0]).sort(), [
    'access.expiresIn', 'access.more', 'db', 'identifiers', 'nonsense', 'password.argon2.timeCost',
    'password.minLength', 'prefix', 'refresh.expiresIn', 'refresh.window', 'routes.login', 'secret', 'throttle',
  ])
  t.notMatch(problems.join(), /short|pass-word/)
})

t.test('an access token lives 15 minutes and a refresh token 30 days, unless told otherwise', async (t) => {
  stopTheClock(t)
  t.match(await (await build(t)).signUp(), { expires_in: 900, refresh_expires_in: 2592000 })

  const lives: [given: Duration, seconds: number][] =
    [['90s', 90], ['2m', 120], ['1h', 3600], ['1d', 86400], ['1w', 604800], [77, 77]]
  for (const [expiresIn, seconds] of lives) {
    const { signUp } = await build(t, { access: { expiresIn }, refresh: { expiresIn, maxAge: '1w' } })
    const tokens = await signUp()
    t.match(tokens, { expires_in: seconds, refresh_expires_in: seconds }, `${expiresIn}`)
    const { iat, exp } = decode(tokens.access_token).payload
    t.equal(exp - iat, seconds)
  }
})

t.test('the issuer and the audience stand in the tokens', async (t) => {
  const usual = decode((await (await build(t)).signUp()).access_token).payload
  t.match(usual, { iss: 'fastify-jwt-accounts', aud: 'fastify-jwt-accounts' })

  const { signUp } = await build(t, { issuer: 'https://accounts.example', audience: 'shop' })
  const tokens = await signUp()
  for (const token of [tokens.access_token, tokens.refresh_token]) {
    t.match(decode(token).payload, { iss: 'https://accounts.example', aud: 'shop' })
  }
})

const otherSecret = 'b7Nw0QxYs5Lr8KcVg2TjEz4PmHf9UaD1'

t.test('the environment gives what no option gives', async (t) => {
  stopTheClock(t)
  const db = join(t.testdir({}), 'from-environment.sqlite')
  environment(t, {
    JWT_SECRET_KEY: otherSecret,
    JWT_ACCESS_TOKEN_EXPIRES: '600',
    JWT_REFRESH_TOKEN_EXPIRES: '2d',
    ACCOUNTS_DATABASE_URL: db,
  })

  const tokens = await (await start(t, { password: cheap })).signUp()
  t.match(tokens, { expires_in: 600, refresh_expires_in: 172800 })
  t.ok(existsSync(db))
  const { header, payload } = decode(tokens.access_token)
  t.equal(mint(header, payload, otherSecret), tokens.access_token)
})

t.test('an option wins over the environment, whatever stands there', async (t) => {
  stopTheClock(t)
  environment(t, {
    JWT_SECRET_KEY: 'weak',
    JWT_ACCESS_TOKEN_EXPIRES: 'soon',
    JWT_REFRESH_TOKEN_EXPIRES: '0',
    ACCOUNTS_DATABASE_URL: 'mongodb://localhost/app',
  })

  const { signUp } = await build(t, { access: { expiresIn: 60 }, refresh: { expiresIn: '2m' } })
  const tokens = await signUp()
  t.match(tokens, { expires_in: 60, refresh_expires_in: 120 })
  const { header, payload } = decode(tokens.access_token)
  t.equal(mint(header, payload, secret), tokens.access_token)
})

/** Names the variable, when the plugin refuses to start because of it. */
const refusesVariable = (t: Test, name: string, value: string) => t.test(`${name}=${value}`, async (t) => {
  environment(t, { JWT_SECRET_KEY: otherSecret, ACCOUNTS_DATABASE_URL: ':memory:', [name]: value })
  await t.rejects(start(t, {}), { code: 'ACCOUNTS_OPTIONS_INVALID', message: name })
})

t.test('a bad value in the environment is refused, naming the variable', async (t) => {
  const durations = ['0', '-1', 'soon', '1.5', '15 m', ' ', '99999999999']
  const bad: Record<string, string[]> = {
    JWT_SECRET_KEY: ['weak', ' ', 'x'.repeat(40)],
    JWT_ACCESS_TOKEN_EXPIRES: durations,
    JWT_REFRESH_TOKEN_EXPIRES: durations,
    ACCOUNTS_DATABASE_URL: ['mongodb://localhost/app', 'mysql://localhost'],
  }

  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) await refusesVariable(t, name, value)
  }
})

t.test('a contradiction that the environment brings is refused, naming the variable', async (t) => {
  await refusesVariable(t, 'JWT_ACCESS_TOKEN_EXPIRES', '31d')
  await refusesVariable(t, 'JWT_REFRESH_TOKEN_EXPIRES', '10m')
  await refusesVariable(t, 'JWT_REFRESH_TOKEN_EXPIRES', '181d')
})

t.test('an empty variable counts as none', async (t) => {
  const before = process.cwd()
  process.chdir(t.testdir({}))
  t.teardown(() => process.chdir(before))
  environment(t, Object.fromEntries(variables.map((name) => [name, ''])))

  const tokens = await (await start(t, { password: cheap })).signUp()
  t.equal(tokens.expires_in, 900)
  t.ok(existsSync('accounts.sqlite'))
})

t.test('what the caller holds is not written to, and may be frozen', async (t) => {
  const argon2 = { memoryCost: 1024 }
  const options: AccountsOptions = {
    db: ':memory:', secret, access: {}, refresh: { expiresIn: '1d' }, identifiers: ['username'], password: { argon2 },
  }
  const before = structuredClone(options)
  await start(t, options)
  t.strictSame(options, before)

  for (const part of [options, ...Object.values(options), argon2]) Object.freeze(part)
  t.equal((await (await start(t, options)).signUp()).user.username, 'ada')
})

t.test('a route can be left out', async (t) => {
  for (const route of ['register', 'login', 'refresh', 'logout', 'me'] as const) {
    const { app } = await build(t, { routes: { [route]: false } })
    for (const name of ['register', 'login', 'refresh', 'logout', 'me']) {
      const method = name === 'me' ? 'GET' : 'POST'
      const { statusCode } = await app.inject({ method, url: `/auth/${name}` })
      t.equal(statusCode === 404, name === route, `${name} without ${route}`)
    }
  }
})

t.test('a route can have another path', async (t) => {
  const routes = { register: '/sign-up', login: '/session/new', me: '/whoami', logout: true }
  const { post, get } = await build(t, { routes })
  const { access_token: token } = (await post('/auth/sign-up', { username: 'ada', password })).json()

  t.equal((await post('/auth/session/new', { username: 'ada', password })).statusCode, 200)
  t.equal((await get('/auth/whoami', token)).statusCode, 200)
  t.equal((await post('/auth/logout', undefined, token)).statusCode, 204)
  for (const gone of ['/auth/register', '/auth/login', '/auth/session']) t.equal((await post(gone, {})).statusCode, 404)
  t.equal((await get('/auth/me', token)).statusCode, 404)
})

t.test('the prefix can be another one, or none', async (t) => {
  for (const prefix of ['/api/v1', '']) {
    const { post, get } = await build(t, { prefix })
    const { access_token: token } = (await post(`${prefix}/register`, { username: 'ada', password })).json()
    t.equal((await get(`${prefix}/me`, token)).json().username, 'ada', `prefix ${prefix}`)
    t.equal((await post('/auth/login', { username: 'ada', password })).statusCode, 404)
  }
})
