// Counts which files of lib/ a warm request enters, by V8's precise coverage, and fails where they are too many. With
// --list it names them.
import { Session } from 'node:inspector/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import accounts from '../lib/index.ts'

const lib = join(import.meta.dirname, '..', 'lib')
const password = 'correct horse battery staple'

/** As many as a reader can follow in one sitting. */
const most = { login: 25, guarded: 10 }

const app = Fastify()
await app.register(accounts, {
  db: ':memory:',
  secret: 'Zq8vT2kLw9XcR5nYb3HjM7pFs1DgA4uE',
  password: { argon2: { memoryCost: 1024, timeCost: 2, parallelism: 1 } },
})
app.get('/guarded', { preHandler: app.authenticate }, async ({ user }) => user)
await app.inject({ method: 'POST', url: '/auth/register', payload: { username: 'ada', password } })

const login = () => app.inject({ method: 'POST', url: '/auth/login', payload: { username: 'ada', password } })
const { access_token: token } = (await login()).json()
const guarded = () => app.inject({ url: '/guarded', headers: { authorization: `Bearer ${token}` } })
await guarded()

const inspector = new Session()
inspector.connect()
await inspector.post('Profiler.enable')
for (const [name, request] of Object.entries({ login, guarded })) {
  // What only some of them enter is a timer's that was due meanwhile.
  const [first = [], ...others] = [await enteredBy(request), await enteredBy(request), await enteredBy(request)]
  const files = first.filter((file) => others.every((each) => each.includes(file)))
  const limit = most[name as keyof typeof most]
  console.log(`${name}: ${files.length} files of lib/, ${limit} at most`)
  if (process.argv.includes('--list')) for (const file of files) console.log(`  ${file}`)
  if (files.length > limit) process.exitCode = 1
}
await app.close()

/** The files of which at least one function ran. */
async function enteredBy (request: () => Promise<{ statusCode: number }>): Promise<string[]> {
  await inspector.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  const { statusCode } = await request()
  const { result } = await inspector.post('Profiler.takePreciseCoverage')
  await inspector.post('Profiler.stopPreciseCoverage')
  if (statusCode !== 200) throw new Error(`It was answered with ${statusCode}`)

  const ours = result.filter(({ url }) => url.startsWith('file:') && fileURLToPath(url).startsWith(`${lib}/`))
  const entered = ours.filter(({ functions }) => functions.some(({ ranges: [whole] }) => whole!.count > 0))
  return entered.map(({ url }) => relative(lib, fileURLToPath(url))).toSorted()
}
