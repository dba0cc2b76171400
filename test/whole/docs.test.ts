import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, globSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { features } from '../../lib/features.ts'
import { GuardOptionsSchema } from '../../lib/guards/options.ts'
import accounts, { errors } from '../../lib/index.ts'
import { OptionsSchema } from '../../lib/options.ts'
import { google } from '../../lib/providers.ts'
import { build, cheap } from '../support/build.ts'
import { clockAhead } from '../support/clock-ahead.ts'
import { documentOf, operationsOf } from '../support/documents.ts'
import { Fastify } from '../support/fastify.ts'
import { buildWithMail } from '../support/mail.ts'
import { snippetOf } from '../support/snippets.ts'
import { until } from '../support/waiting.ts'

const root = join(import.meta.dirname, '..', '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const readme = read('README.md')
const pages = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

/** What stands in code in the first column of the tables of a page, or in another. */
function namesIn (text: string, column = 1): string[] {
  const rows = text.split('\n').filter((line) => /^\| [`\w]/.test(line))
  return rows.flatMap((row) => [...row.split('|')[column]!.matchAll(/`([^`]+)`/g)].map((match) => match[1]!))
}
const firstColumn = (page: string) => namesIn(read(`docs/${page}.md`))

/** What rows and entries with a call begin with in all sections of a name, without what it is called with. */
function toldIn (kind: string, files = pages): string[] {
  const sections = files
    .flatMap((file) => read(file).split(/^## /m).slice(1))
    .filter((section) => section.startsWith(kind))
  const firsts = sections.flatMap((section) =>
    [...section.matchAll(/^(?:\| |- (?=`\w+\())((?:`[^`]+`(?:, )?)+)/gm)].map(([, codes]) => codes!)
  )
  return firsts.flatMap((codes) => [...codes.matchAll(/`([^`]+)`/g)].map(([, code]) => code!.split('(')[0]!))
}

const everyRoute = Object.fromEntries(Object.keys(OptionsSchema.properties.routes.properties)
  .map((name) => [name, true]))

type Schema = { properties?: Record<string, Schema> }
const pathsOf = ({ properties = {} }: Schema, prefix = ''): string[] =>
  Object.entries(properties).flatMap(([name, inner]) => [`${prefix}${name}`, ...pathsOf(inner, `${prefix}${name}.`)])

t.test('every option stands in docs/options.md, or the group that it belongs to, and none that is gone', async (t) => {
  const options = ['secret', 'orm', ...pathsOf(OptionsSchema as Schema)]
  const told = firstColumn('options')
  for (const name of told) t.ok(options.includes(name), `${name} is an option`)
  for (const name of options) {
    t.ok(
      told.some((row) => name === row || name.startsWith(`${row}.`) || row.startsWith(`${name}.`)),
      `${name} is told of`
    )
  }
  const section = readme.split(/^## /m).find((part) => part.startsWith('Options\n'))!
  const chosen = namesIn(section, 2).filter((name) => !/^[A-Z_]+$/.test(name))
  t.ok(chosen.length > 9)
  for (const name of chosen) t.ok(options.includes(name), `${name} of the README is an option`)
})

t.test('every default in docs/options.md is the default', async (t) => {
  const rows = [...read('docs/options.md').matchAll(/^\| `([\w.]+)`(?:, `(\w+)`)? \| ([^|]+) \|/gm)]
  const defaultOf = (path: string) =>
    path.split('.').reduce((schema, name) => schema?.properties?.[name], OptionsSchema as any)?.default
  const checked = rows.filter(([, name]) => defaultOf(name!) !== undefined && typeof defaultOf(name!) !== 'object')
  t.ok(checked.length >= 9)
  for (const [, name, , told] of checked) t.ok(told!.includes(`${defaultOf(name!)}`), `${name}: ${told}`)
})

t.test('every error stands in docs/errors.md, with its status, and none that is gone', async (t) => {
  const rows = [...read('docs/errors.md').matchAll(/^\| `(ACCOUNTS_\w+)` \| (\d+|–) \|/gm)].map(([, code, status]) => [
    code,
    status === '–' ? 500 : Number(status),
  ])
  const made = Object.values(errors).map((Refusal) => new (Refusal as new () => { code: string, statusCode: number })())
  const statuses = Object.fromEntries(made.map(({ code, statusCode }) => [code, statusCode]))
  t.same(Object.fromEntries(rows), statuses)

  const told = pages
    .flatMap((page) => read(page).split(/^## /m))
    .filter((section) => section.startsWith('Errors'))
    .flatMap((section) =>
      [...section.matchAll(/^\| `(ACCOUNTS_\w+)` \| (\d+|–) \| \S/gm)].map(
        ([, code, status]) => [code!, status === '–' ? 500 : Number(status)] as const
      )
    )
  t.equal(told.length, made.length, 'each is told of at one page')
  t.same(Object.fromEntries(told), statuses)
})

t.test('every counter and every channel stands in the docs, and none that is gone', async (t) => {
  const { app } = await build(t)
  const operations = read('docs/operations.md')
  const counters = operations
    .split(/^## /m)
    .find((part) => part.startsWith('Counters'))!
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  t.same(
    counters.flatMap((line) => [...line.split('|')[1]!.matchAll(/`(\w+)`/g)].map(([, name]) => name)),
    Object.keys(app.accounts.counters)
  )
  const channels = [...operations.matchAll(/^\| `fastify-jwt-accounts:([\w-]+)`/gm)].map(([, name]) => name)
  const told = globSync('lib/**/events.ts', { cwd: root }).flatMap((file) => [
    ...read(file).matchAll(/^ {2}'?([\w-]+)'?: (\{ instance|[A-Z]\w+Event\b)/gm),
  ])
  t.same(channels.toSorted(), told.map(([, name]) => name).toSorted())
  t.same(
    toldIn('Events')
      .map((name) => name.replace('fastify-jwt-accounts:', ''))
      .toSorted(),
    channels.toSorted(),
    'each is told of at one page'
  )
})

t.test('every route stands in docs/routes.md, and none that is gone', async (t) => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const introspection = { clients: [{ id: 'shop', secret: 'x'.repeat(32) }] }
  const there: string[] = []
  const app = Fastify()
  t.teardown(() => app.close())
  app.addHook('onRoute', ({ method, url }) => {
    if (method !== 'HEAD' && method !== 'OPTIONS') there.push(`${method} ${url}`)
  })
  await app.register(accounts, {
    db: ':memory:',
    password: cheap,
    secret: { private: privateKey },
    issuer: 'https://accounts.example.com',
    discovery: true,
    routes: everyRoute,
    introspection,
    mail: { links: { login: '/login', register: '/welcome', invite: '/join' } },
    closing: { grace: '30d' },
    events: { store: true },
    admin: { impersonation: true },
    email: { verification: 'first' },
    factors: { remember: '30d' },
    passkeys: { origins: ['https://app.example.com'] },
    keys: true,
    providers: [google({ clientId: 'shop', clientSecret: 'secret' })],
    encryptionKey: 'Zq8vT2kLw9XcR5nYb3HjM7pFs1DgA4uE',
  })
  t.same(toldIn('Routes').toSorted(), firstColumn('routes').toSorted(), 'each is told of at one page')
  t.same(firstColumn('routes').toSorted(), there.toSorted(), 'each is told of')
})

t.test('every operation and every component stands in docs/openapi.md, and none that is gone', async (t) => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const document = await documentOf(t, {
    secret: { private: privateKey },
    routes: everyRoute,
    mail: { links: { login: '/login', register: '/welcome', invite: '/join' } },
    closing: { grace: '30d' },
    events: { store: true },
    admin: { impersonation: true },
    email: { verification: 'first' },
    factors: { remember: '30d' },
    passkeys: { origins: ['https://app.example.com'] },
    keys: true,
    providers: [google({ clientId: 'shop', clientSecret: 'secret' })],
    encryptionKey: 'Zq8vT2kLw9XcR5nYb3HjM7pFs1DgA4uE',
    introspection: { clients: [{ id: 'shop', secret: 'x'.repeat(32) }] },
  })
  const page = read('docs/openapi.md')
  const rows = [...page.matchAll(/^\| `(\w+)` \| `(\w+ \/[^`]+)` \|$/gm)].map(([, id, route]) => [route, id])
  t.strictSame(
    Object.fromEntries(rows),
    Object.fromEntries(operationsOf(document).map(([route, { operationId }]) => [route, operationId]))
  )
  const schemas = [...page.matchAll(/^\| `([A-Z]\w+)` \|/gm)].map(([, name]) => name)
  // A registration answers otherwise where the address is proved later.
  const offering = await documentOf(t, { mail: true })
  const named = new Set([document, offering].flatMap(({ components }) => Object.keys(components.schemas)))
  t.strictSame(schemas.toSorted(), [...named].toSorted())
})

t.test('every decorator stands in docs/guards.md, and none that is gone', async (t) => {
  const { app } = await build(t)
  t.same(
    firstColumn('guards').filter((name) => name.includes('.')),
    [
      'app.authenticate',
      'app.authenticateRefresh',
      'app.accounts.guard',
      'app.accounts.protect',
      'request.user',
      'request.auth',
    ]
  )
  t.same(
    firstColumn('guards').filter((name) => !/[.]|^ACCOUNTS_/.test(name)),
    Object.keys(GuardOptionsSchema.properties)
  )
  t.ok(
    app.hasDecorator('authenticate') &&
      app.hasDecorator('authenticateRefresh') &&
      app.hasDecorator('accounts') &&
      app.hasRequestDecorator('user') &&
      app.hasRequestDecorator('auth')
  )
})

t.test('every service stands in the docs, at one page and in the index, and none that is gone', async (t) => {
  const { app } = await build(t, {
    passkeys: { origins: ['https://app.example.com'] },
    keys: true,
    providers: [google({ clientId: 'shop', clientSecret: 'secret' })],
  })
  const names = Object.entries(app.accounts).flatMap(([name, service]) => {
    const calls = typeof service === 'object' ? Object.entries(service) : []
    const isGroup = calls.length > 0 && calls.every(([, call]) => typeof call === 'function')
    return isGroup ? calls.map(([call]) => `${name}.${call}`) : [`app.accounts.${name}`]
  })
  t.same(
    toldIn('Services')
      .filter((name) => name.includes('.') && name !== 'app.authenticate' && name !== 'app.authenticateRefresh')
      .toSorted(),
    names.toSorted()
  )
  const index = read('docs/services.md').split(/^## /m)[0]!
  const listed = [...index.matchAll(/`([\w.]+)`[,\n]/g)].map(([, name]) => name!)
  t.same(listed.toSorted(), names.map((name) => name.replace('app.accounts.', '')).toSorted())
})

t.test('every hook stands in the docs, at one page and in the index, and none that is gone', (t) => {
  const hooks = Object.keys(OptionsSchema.properties.hooks.properties)
  t.same(toldIn('Hooks').toSorted(), hooks.toSorted())
  t.same(firstColumn('hooks'), hooks)
  t.end()
})

/** The form of a page of a feature. Sections of its own may stand between these. */
const form = ['Why', 'Options', 'Routes', 'Services', 'Errors', 'Events', 'Hooks']

t.test('every feature has a page of one form, which tells all that is its own', async (t) => {
  for (const { name } of features) {
    const page = `docs/${name}.md`
    const headings = [...read(page).matchAll(/^## (.+)$/gm)]
      .map(([, heading]) => heading!)
      .filter((heading) => form.includes(heading))
    t.same(
      headings,
      form.filter((heading) => heading !== 'Services' || headings.includes(heading)),
      `${page} has the form`
    )

    const file = `lib/features/${name}/options.ts`
    const { options = {}, routes = {} } = existsSync(join(root, file)) ? await import(`../../${file}`) : {}
    const told = namesIn(read(page).split(/^## /m).find((section) => section.startsWith('Options\n'))!)
    for (const option of Object.keys(options)) {
      t.ok(
        told.some((row) => row.split('.')[0] === option),
        `${page}: ${option}`
      )
    }
    const [own, index] = [toldIn('Routes', [page]), read('docs/routes.md')]
    const switched = own.map(
      (route) => new RegExp(`^\\| \`${route}\` \\|.*\\| \`routes\\.(\\w+)\` \\|`, 'm').exec(index)?.[1]
    )
    // It may have a part in what stands behind the switch of another.
    const ownSwitches = switched.filter((on) => on! in routes)
    t.same([...new Set(ownSwitches)].toSorted(), Object.keys(routes).toSorted(), `${page}: routes`)

    const errorsFile = `lib/features/${name}/errors.ts`
    const codes = existsSync(join(root, errorsFile))
      ? [...read(errorsFile).matchAll(/'(ACCOUNTS_\w+)'/g)].map(([, code]) => code!)
      : []
    for (const code of codes) t.ok(toldIn('Errors', [page]).includes(code), `${page}: ${code}`)
    const eventsFile = `lib/features/${name}/events.ts`
    const events = existsSync(join(root, eventsFile))
      ? [...read(eventsFile).matchAll(/^ {2}'?([\w-]+)'?: (\{ instance|[A-Z]\w*Event\b)/gm)].map(([, event]) => event!)
      : []
    for (const event of events) { t.ok(toldIn('Events', [page]).includes(`fastify-jwt-accounts:${event}`), `${page}: ${event}`) }
  }
})

t.test('no cell of a table is longer than a screen has room for', (t) => {
  for (const page of pages) {
    for (const row of read(page).match(/^\|.+\|$/gm) ?? []) {
      // As it is seen: links without what they lead to.
      const cells = row.replaceAll(/\]\([^)]*\)/g, ']').split(/(?<!\\)\|/).map((cell) => cell.trim())
      t.strictSame(cells.filter((cell) => cell.length > 160), [], page)
    }
  }
  t.end()
})

t.test(
  'the tour in the README is the one that the example prints, and CI runs the command of the README',
  async (t) => {
    t.ok(readme.includes(`\`\`\`sh\n${read('example/tour.sh')}\`\`\``))
    t.ok(readme.includes('```sh\nnpm ci && npm test\n```'))
    t.match(read('.ci/run'), /^npm ci && npm test \| tee "\$log" \|\| failed$/m)
  }
)

t.test('every MikroORM that the docs make leaves our tables alone', (t) => {
  const made = pages.flatMap((page) =>
    [...read(page).matchAll(/MikroORM\.init\(\{[^]*?\n?\}\)/g)].map(([text]) => [page, text] as const)
  )
  t.ok(made.length >= 3)
  for (const [page, text] of made) t.match(text, 'schemaGenerator: { skipTables: [/^accounts_/] }', page)
  t.end()
})

t.test('the first admin is made as docs/users.md says', async (t) => {
  const { app, get, signUp } = await build(t)
  const { access_token: token } = await signUp()
  const AsyncFunction = (async () => {}).constructor as new (...parts: string[]) => (given: typeof app) => Promise<void>
  await new AsyncFunction('app', snippetOf('docs/users.md', 'The first admin'))(app)
  t.same((await get('/auth/me', token)).json().roles, ['admin'])
})

/** What GitHub makes of a heading for links. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-')

t.test('every link leads somewhere, to a heading too', async (t) => {
  for (const page of pages) {
    for (const [, target, anchor] of read(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)) {
      const path = target === '' ? page : join(dirname(page), target!)
      t.ok(existsSync(join(root, path)), `${page}: ${target}`)
      const headings =
        anchor === undefined ? [] : [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading!))
      t.ok(anchor === undefined || headings.includes(anchor), `${page}: ${target}#${anchor}`)
    }
  }
})

t.test('every page of the docs is reached from the README', async (t) => {
  const linked = [...readme.matchAll(/\]\((docs\/[\w-]+\.md)/g)].map(([, page]) => page!)
  t.strictSame(pages.filter((page) => page.startsWith('docs/') && !linked.includes(page)), [])
})

/** A machine that has much else to do may take longer to start than Fastify waits. */
const patient = (snippet: string) =>
  snippet.replace(/Fastify\((?:\{ (.*) \})?\)/, (_, options = '') => `Fastify({ pluginTimeout: 0, ${options} })`)

for (const [section, count] of [[undefined, 2], ['Mails', 1]] as const) {
  t.test(`the tests of docs/testing.md pass as they stand${section ? `: ${section}` : ''}`, async (t) => {
    const snippet = snippetOf('docs/testing.md', section)
    const file = join(t.testdir({}), 'app.test.ts')
    const ours = snippet
      .replace("'fastify-jwt-accounts'", `'${join(root, 'lib', 'index.ts')}'`)
      .replace("'fastify-jwt-accounts/testing'", `'${join(root, 'lib', 'testing.ts')}'`)
    writeFileSync(file, patient(ours))
    const tests = spawn(process.execPath, ['--test', '--test-reporter=tap', file], {
      cwd: dirname(file),
      env: { PATH: process.env.PATH },
    })
    const [printed, [code]] = await Promise.all([text(tests.stdout), once(tests, 'close')])
    t.equal(code, 0, printed)
    t.match(printed, new RegExp(`^# pass ${count}$`, 'm'))
  })
}

/** Starts an app of the docs in a folder of its own, with ours for the package, and gives where it listens. */
async function startSnippet (t: Test, snippet: string, env: NodeJS.ProcessEnv = {}) {
  const file = join(t.testdir({}), 'app.ts')
  writeFileSync(
    file,
    patient(
      snippet.replace("'fastify-jwt-accounts'", `'${join(root, 'lib', 'index.ts')}'`).replace('port: 3000', 'port: 0')
    )
  )
  const server = spawn(process.execPath, [file], { cwd: dirname(file), env: { PATH: process.env.PATH, ...env } })
  t.teardown(() => server.kill())

  let log = ''
  while (!log.includes('listening at')) log += (await once(server.stdout, 'data'))[0]
  return { api: /http:\/\/127\.0\.0\.1:\d+/.exec(log)![0], server }
}

t.test('the quick start runs as it stands', async (t) => {
  const snippet = snippetOf('README.md', 'Quick start')
  t.ok(snippet.trim().split('\n').length <= 12)
  const { api } = await startSnippet(t, snippet)
  const registered = await fetch(`${api}/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'ada', password: 'correct horse battery staple' }),
  })
  const { access_token: token } = await registered.json() as { access_token: string }
  t.match(await (await fetch(`${api}/me`, { headers: { authorization: `Bearer ${token}` } })).json(), {
    username: 'ada',
  })
  t.equal((await fetch(`${api}/me`)).status, 401)
})

t.test('a forgotten password is replaced with the three lines of docs/reset.md in the quick start', async (t) => {
  const lines = snippetOf('docs/reset.md', 'Try it')
  t.ok(readme.includes(lines), 'the README has the same')
  t.ok(read('docs/mail.md').includes(lines), 'and so has the page of mails')
  t.equal(lines.trim().split('\n').length, 3)
  const quickStart = snippetOf('README.md', 'Quick start')
  const { api, server } = await startSnippet(t, quickStart.replace('await app.register(accounts)\n', lines), clockAhead(2))

  const [ask, answer] = [...read('docs/reset.md').matchAll(/```sh\n([^]+?)```/g)]
    .map(([, script]) => script!.replace('localhost:3000', api.slice('http://'.length)))
  const shell = spawn('sh', { stdio: ['pipe', 'pipe', 'inherit'] })
  let said = ''
  shell.stdout.on('data', (chunk) => { said += chunk })
  shell.stdin.write(ask!)
  await until(() => /\}[\w-]{22}\n/.test(said))
  server.kill('SIGUSR2')
  await until(async () => {
    const kept = await fetch(`${api}/auth/outbox`, { headers: { accept: 'application/json' } })
    return (await kept.text()).includes('"kind":"reset"')
  })
  shell.stdin.end(answer)
  await once(shell, 'close')
  t.match(said, /\n204\n$/)
  const login = await fetch(`${api}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'bob', password: 'another battery staple horse' }),
  })
  t.equal(login.status, 200)
})

t.test('the mail in docs/mail.md is the one that is sent', async (t) => {
  const { app, mails, signUpWithMail } = await buildWithMail(t, {
    mail: { appName: 'Example', links: { base: 'https://app.example.com' } },
  })
  await signUpWithMail()
  const userAgent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36'
  await app.inject({
    method: 'POST',
    url: '/auth/password/forgot',
    headers: { 'user-agent': userAgent },
    remoteAddress: '192.0.2.7',
    payload: { username: 'ada' },
  })
  const general = (mail: string) => mail
    .replace(/#\S+/, '#token').replace(/\d{4} \d{4}/, 'code').replace(/\d{4}-\d\d-\d\d \d\d:\d\d/, 'moment')
  const [, told] = /```text\n([^]+?)```/.exec(read('docs/mail.md'))!
  t.equal(general((await mails.next('reset')).text), general(told!))
})
