import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, globSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { GuardOptionsSchema } from '../../lib/guards/options.ts'
import { errors } from '../../lib/index.ts'
import { OptionsSchema } from '../../lib/options.ts'
import { build } from '../support/build.ts'
import { documentOf, operationsOf } from '../support/documents.ts'
import { snippetOf } from '../support/snippets.ts'

const root = join(import.meta.dirname, '..', '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const readme = read('README.md')
const pages = ['README.md', 'CHANGELOG.md', ...readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)]

/** What stands in code in the first column of the tables of a page, or in another. */
function namesIn (text: string, column = 1): string[] {
  const rows = text.split('\n').filter((line) => /^\| [`\w]/.test(line))
  return rows.flatMap((row) => [...row.split('|')[column]!.matchAll(/`([^`]+)`/g)].map((match) => match[1]!))
}
const firstColumn = (page: string) => namesIn(read(`docs/${page}.md`))

type Schema = { properties?: Record<string, Schema> }
const pathsOf = ({ properties = {} }: Schema, prefix = ''): string[] =>
  Object.entries(properties).flatMap(([name, inner]) => [`${prefix}${name}`, ...pathsOf(inner, `${prefix}${name}.`)])

t.test('every option stands in docs/options.md, or the group that it belongs to, and none that is gone', async (t) => {
  const options = ['secret', 'orm', ...pathsOf(OptionsSchema as Schema)]
  const told = firstColumn('options')
  for (const name of told) t.ok(options.includes(name), `${name} is an option`)
  for (const name of options) {
    t.ok(told.some((row) => name === row || name.startsWith(`${row}.`) || row.startsWith(`${name}.`)), `${name} is told of`)
  }
  const section = readme.split(/^## /m).find((part) => part.startsWith('Options\n'))!
  const chosen = namesIn(section, 2).filter((name) => !/^[A-Z_]+$/.test(name))
  t.ok(chosen.length > 9)
  for (const name of chosen) t.ok(options.includes(name), `${name} of the README is an option`)
})

t.test('every default in docs/options.md is the default', async (t) => {
  const rows = [...read('docs/options.md').matchAll(/^\| `([\w.]+)`(?:, `(\w+)`)? \| ([^|]+) \|/gm)]
  const defaultOf = (path: string) => path.split('.').reduce((schema, name) => schema?.properties?.[name], OptionsSchema as any)?.default
  const checked = rows.filter(([, name]) => defaultOf(name!) !== undefined && typeof defaultOf(name!) !== 'object')
  t.ok(checked.length >= 9)
  for (const [, name, , told] of checked) t.ok(told!.includes(`${defaultOf(name!)}`), `${name}: ${told}`)
})

t.test('every error stands in docs/errors.md, with its status, and none that is gone', async (t) => {
  const rows = [...read('docs/errors.md').matchAll(/^\| `(ACCOUNTS_\w+)` \| (\d+|–) \|/gm)].map(([, code, status]) => [code, status === '–' ? 500 : Number(status)])
  const made = Object.values(errors).map((Refusal) => new (Refusal as new () => { code: string, statusCode: number })())
  t.same(Object.fromEntries(rows), Object.fromEntries(made.map(({ code, statusCode }) => [code, statusCode])))
})

t.test('every counter and every channel stands in the docs, and none that is gone', async (t) => {
  const { app } = await build(t)
  const operations = read('docs/operations.md')
  const counters = operations.split(/^## /m).find((part) => part.startsWith('Counters'))!.split('\n').filter((line) => line.startsWith('| `'))
  t.same(counters.flatMap((line) => [...line.split('|')[1]!.matchAll(/`(\w+)`/g)].map(([, name]) => name)), Object.keys(app.accounts.counters))
  const channels = [...operations.matchAll(/^\| `fastify-jwt-accounts:([\w-]+)`/gm)].map(([, name]) => name)
  const told = globSync('lib/**/events.ts', { cwd: root }).flatMap((file) => [...read(file).matchAll(/^ {2}'?([\w-]+)'?: (\{ instance|[A-Z]\w+Event\b)/gm)])
  t.same(channels.toSorted(), told.map(([, name]) => name).toSorted())
})

t.test('every route stands in docs/routes.md, and none that is gone', async (t) => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const introspection = { clients: [{ id: 'shop', secret: 'x'.repeat(32) }] }
  const { app } = await build(t, { secret: { private: privateKey }, routes: { users: true, revoke: true }, introspection })
  for (const told of firstColumn('routes')) {
    const [method, url] = told.split(' ')
    t.ok(app.hasRoute({ method: method as 'GET', url: url! }), told)
  }
  // One switch stands for the three routes of sessions, one for the three of oneself, and one for the four of users.
  t.equal(firstColumn('routes').length, Object.keys(OptionsSchema.properties.routes.properties).length + 2 + 2 + 3)
})

t.test('every operation and every component stands in docs/openapi.md, and none that is gone', async (t) => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const document = await documentOf(t, { secret: { private: privateKey }, routes: { users: true, revoke: true }, introspection: { clients: [{ id: 'shop', secret: 'x'.repeat(32) }] } })
  const page = read('docs/openapi.md')
  const rows = [...page.matchAll(/^\| `(\w+)` \| `(\w+ \/[^`]+)` \|$/gm)].map(([, id, route]) => [route, id])
  t.strictSame(Object.fromEntries(rows), Object.fromEntries(operationsOf(document).map(([route, { operationId }]) => [route, operationId])))
  const schemas = [...page.matchAll(/^\| `([A-Z]\w+)` \|/gm)].map(([, name]) => name)
  t.strictSame(schemas.toSorted(), Object.keys(document.components.schemas).toSorted())
})

t.test('every decorator stands in docs/guards.md, and none that is gone', async (t) => {
  const { app } = await build(t)
  t.same(firstColumn('guards').filter((name) => name.includes('.')), ['app.authenticate', 'app.authenticateRefresh', 'app.accounts.guard', 'app.accounts.protect', 'request.user', 'request.auth'])
  t.same(firstColumn('guards').filter((name) => !name.includes('.')), Object.keys(GuardOptionsSchema.properties))
  t.ok(app.hasDecorator('authenticate') && app.hasDecorator('authenticateRefresh') && app.hasDecorator('accounts') && app.hasRequestDecorator('user') && app.hasRequestDecorator('auth'))
})

t.test('every service stands in the docs, and none that is gone', async (t) => {
  const { app } = await build(t)
  const told = [...firstColumn('guards'), ...firstColumn('services')].filter((name) => name.startsWith('app.accounts.'))
  t.same(told.toSorted(), Object.keys(app.accounts).map((name) => `app.accounts.${name}`).toSorted())
})

t.test('every call of users and of sessions stands in docs/services.md, and none that is gone', async (t) => {
  const { app } = await build(t)
  const { users, sessions } = app.accounts
  const told = firstColumn('services').filter((name) => name.includes('(')).map((name) => name.split('(')[0]!)
  t.same(told.toSorted(), [...Object.keys(users).map((name) => `users.${name}`), ...Object.keys(sessions).map((name) => `sessions.${name}`)].toSorted())
})

t.test('the tour in the README is the one that the example prints, and CI runs the command of the README', async (t) => {
  t.ok(readme.includes(`\`\`\`sh\n${read('example/tour.sh')}\`\`\``))
  t.ok(readme.includes('```sh\nnpm ci && npm test\n```'))
  t.match(read('.ci/run'), /^npm ci && npm test \| tee "\$log" \|\| failed$/m)
})

t.test('every MikroORM that the docs make leaves our tables alone', (t) => {
  const made = pages.flatMap((page) => [...read(page).matchAll(/MikroORM\.init\(\{[^]*?\n?\}\)/g)].map(([text]) => [page, text] as const))
  t.ok(made.length >= 3)
  for (const [page, text] of made) t.match(text, 'schemaGenerator: { skipTables: [/^accounts_/] }', page)
  t.end()
})

t.test('the first admin is made as docs/services.md says', async (t) => {
  const { app, get, signUp } = await build(t)
  const { access_token: token } = await signUp()
  const AsyncFunction = (async () => {}).constructor as new (...parts: string[]) => (given: typeof app) => Promise<void>
  await new AsyncFunction('app', snippetOf('docs/services.md', 'The first admin'))(app)
  t.same((await get('/auth/me', token)).json().roles, ['admin'])
})

/** What GitHub makes of a heading for links. */
const anchorOf = (heading: string) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').trim().replaceAll(' ', '-')

t.test('every link leads somewhere, to a heading too', async (t) => {
  for (const page of pages) {
    for (const [, target, anchor] of read(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)) {
      const path = target === '' ? page : join(dirname(page), target!)
      t.ok(existsSync(join(root, path)), `${page}: ${target}`)
      const headings = anchor === undefined ? [] : [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading!))
      t.ok(anchor === undefined || headings.includes(anchor), `${page}: ${target}#${anchor}`)
    }
  }
})

t.test('every page of the docs is reached from the README', async (t) => {
  const linked = [...readme.matchAll(/\]\((docs\/[\w-]+\.md)/g)].map(([, page]) => page!)
  t.strictSame(pages.filter((page) => page.startsWith('docs/') && !linked.includes(page)), [])
})

/** A machine that has much else to do may take longer to start than Fastify waits. */
const patient = (snippet: string) => snippet.replace(/Fastify\((?:\{ (.*) \})?\)/, (_, options = '') => `Fastify({ pluginTimeout: 0, ${options} })`)

t.test('the tests of docs/testing.md pass as they stand', async (t) => {
  const snippet = snippetOf('docs/testing.md')
  const file = join(t.testdir({}), 'app.test.ts')
  const ours = snippet.replace("'fastify-jwt-accounts'", `'${join(root, 'lib', 'index.ts')}'`).replace("'fastify-jwt-accounts/testing'", `'${join(root, 'lib', 'testing.ts')}'`)
  writeFileSync(file, patient(ours))
  const tests = spawn(process.execPath, ['--test', '--test-reporter=tap', file], { cwd: dirname(file), env: { PATH: process.env.PATH } })
  const [printed, [code]] = await Promise.all([text(tests.stdout), once(tests, 'close')])
  t.equal(code, 0, printed)
  t.match(printed, /^# pass 2$/m)
})

t.test('the quick start runs as it stands', async (t) => {
  const snippet = snippetOf('README.md', 'Quick start')
  t.ok(snippet.trim().split('\n').length <= 12)
  const file = join(t.testdir({}), 'app.ts')
  writeFileSync(file, patient(snippet.replace("'fastify-jwt-accounts'", `'${join(root, 'lib', 'index.ts')}'`).replace('port: 3000', 'port: 0')))
  const server = spawn(process.execPath, [file], { cwd: dirname(file), env: { PATH: process.env.PATH } })
  t.teardown(() => server.kill())

  let log = ''
  while (!log.includes('listening at')) log += (await once(server.stdout, 'data'))[0]
  const api = /http:\/\/127\.0\.0\.1:\d+/.exec(log)![0]
  const registered = await fetch(`${api}/auth/register`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ username: 'ada', password: 'correct horse battery staple' }) })
  const { access_token: token } = await registered.json() as { access_token: string }
  t.match(await (await fetch(`${api}/me`, { headers: { authorization: `Bearer ${token}` } })).json(), { username: 'ada' })
  t.equal((await fetch(`${api}/me`)).status, 401)
})
