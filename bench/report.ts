import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem, type as system } from 'node:os'
import { join } from 'node:path'
import { barChart, type Chart } from './chart.ts'

/** What a part has found, as it stands on the page. */
export interface Section {
  title: string
  /** Paragraphs and tables. */
  text: string
  /** What a user asks first, for the top of the page. */
  compared: Compared[]
  /** Ours beside what one would use instead, by the names of their files in docs/. They stand at the top. */
  charts: Record<string, Chart>
  targets: Target[]
}

/**
 * The CPU that something takes: ours, Fastify with @fastify/jwt and MikroORM and code of one's own, and better-auth.
 */
export interface Compared { what: string, unit: string, ours: number, byHand: number, betterAuth?: number }

/** What was promised, and what was found in the same run. */
export interface Target { what: string, most?: number, least?: number, found: number }

interface Stored extends Section { day: string, machine: string }

const results = join(import.meta.dirname, 'results')
const docs = join(import.meta.dirname, '..', 'docs')

/** The order on the page. */
const order = ['guard', 'login', 'refresh', 'storm', 'growth', 'boot']

const intro = `# Performance

How fast the plugin is beside what one would use instead: Fastify with @fastify/jwt, MikroORM and code of one's own, or
better-auth. CPU is what the process of the server took for each, and \`× 2\` is twice what ours takes. All in a row were
measured in turns on one machine. This page is written by \`npm run bench\`.`

const beside = `- **A guarded request** asks no database, and still refuses what was revoked. @fastify/jwt alone lets it in, and so does
  better-auth's cookie cache, for a while: the second row. With a look-up for each request it is the first.
- **A login** is its hash most of all, and better-auth's is a dearer one. Ours counts failures besides.
- **A refresh** writes, whoever makes it. Ours finds stolen tokens besides.
- **The start** is where the plugin takes more: [why](#what-was-done-and-why-some-are-not-kept).`

const reading = `## How to read it

Times depend on the machine, and on a shared one on the hour: **read the ratios**. All that is compared is measured in turns,
a short round of each and then again, and a ratio is taken within each round, so that what disturbs a round disturbs both of
its sides. Each table has the median of all rounds and, in brackets, the range of the middle half of them. A ratio is
therefore not quite the ratio of the two medians beside it. Where the machine is said to be at a load, others worked on it
too: what is done in a second is then less than it would be, and CPU and ratios are as they are.

CPU is what the process of the server used, user and system together (\`process.cpuUsage()\`), for each request of a round.
It is the figure that says how many machines are needed, and it includes all that Node and Fastify do for a request. Each
server runs in a process of its own, and what loads it in another one. Requests per second are those of a single server
process beside that load.

The load has a say in the ratios, since writing an answer costs less while the client is awake, and the faster a server is
the busier it keeps its client. In one comparison a guarded request cost 1.48 times the open route under autocannon, 1.57
times under wrk, and 1.34 times under an autocannon that never slept; by \`request.jwtVerify()\` it was 0.48, 0.48 and 0.59. The
tables are of plain autocannon, which agrees better with wrk. Two processes of one server may also differ by a third, hence
the several starts.`

/** By profiles (`node --cpu-prof`) of servers under the same load. */
const why = `## What was done, and why some are not kept

- **A guarded request** is within its bounds by now. Called without HTTP it takes 2.2 µs: it waits for three promises (it was
  nine), searches the header for four signs in place of a regular expression, and looks tokens and users up without keeping the
  order in which they came. With 10,000 tokens it takes 3.7 µs (5.0 before), and what is more is memory that no cache holds.
  HS256 and EdDSA do the same work once a token is known, so between them there is only the difference of two processes.
- **A login**: a bare route that asks argon2 gets 0.88 to 0.96 of argon2 alone when all cores hash, since HTTP and clients need
  theirs too, and where the password is wrong logins are about as many as that route's (0.93 to 1.02, in long rounds 1.02). So
  no server reaches 0.95 beside its clients, and more hashes at once than cores are no faster: 1.00 and 0.98 with three and
  four on two. A login that succeeds has three transactions: it is counted, stored, and what was counted is taken back. With a
  hasher that costs nothing it took 2.95 ms of CPU on SQLite while the ORM made its statements and entities, and takes 0.9 now,
  called in a loop. Beside hashes that empty the caches of the processor it is two to three times as much: see
  [passwords.md](passwords.md#the-line).
- **The p99 beside a storm** is that of one thread that shares two cores with two hashes and the clients: the system lets each
  of them run for some milliseconds before the next, and the server waits its turn. With one hash at once it was 2.8 times
  that of idle.
- **A refresh**: HTTP alone takes as long as both statements, a token is verified and two are signed besides, and a thread that
  has slept while a disk wrote or a client thought goes on with cold caches, which the loop of bare statements has less of: so
  1.5 is out of reach, as the table below shows. It was 17.7 on SQLite and 6.5 on PostgreSQL while the ORM built the
  compare-and-swap anew, SQLite prepared every statement again, and a found session became an entity. Of what is left, a
  twentieth is MikroORM: a fork of its entity manager for each statement takes 2 µs of a call that takes 180.
- **The start** is most of all loading: a file takes a fifth of a millisecond to a whole one, whatever stands in it. In the
  220 files of our source, with the 200 of TypeBox and the 20 of uuid, ours took 1.46 times the CPU of the others. The package
  has all of them in a handful of files, which saves 100 ms of 565; what is loaded at once that some apps do not need is less
  than a file of its own would cost. The files are not minified: each module stands there below its path. Before that,
  schemas of options, routes and claims came to be compiled when they are first needed, an import of \`node:http\` that
  brought the client of fetch along went, and so did the hash that shows that argon2 works. To judge the options without Ajv,
  or to leave out the package of migrations, saves nothing that could be measured.`

export function store (part: string, section: Section): void {
  const stored: Stored = { ...section, day: new Date().toISOString().slice(0, 10), machine: machine() }
  writeFileSync(join(results, `${part}.json`), `${JSON.stringify(stored, null, 2)}\n`)
}

/** As it was before anything was measured: what others do on it takes from what is done in a second. */
const load = Math.round(loadavg()[0]!)

function machine (): string {
  const gib = Math.round(totalmem() / 2 ** 30)
  const busy = load > 1 ? [`at a load of ${load}`] : []
  return [
    cpus()[0]!.model.trim(),
    `${cpus().length} cores`,
    `${gib} GiB`,
    system(),
    `Node ${process.versions.node}`,
    ...busy,
  ].join(', ')
}

/** What a user asks first: a row for each thing, and the charts. */
function opening (sections: Stored[]): string {
  const written = (value: number, unit: string) => `${value < 100 ? value.toFixed(1) : whole(value)} ${unit}`
  const besides = (ours: number, other: number | undefined, unit: string) =>
    other === undefined ? '–' : `${written(other, unit)}, ${factorOf(other / ours)}`
  const rows = sections
    .flatMap(({ compared }) => compared)
    .map(({ what, unit, ours, byHand, betterAuth }) => [
      what,
      written(ours, unit),
      besides(ours, byHand, unit),
      besides(ours, betterAuth, unit),
    ])
  const charts = sections
    .flatMap(({ charts }) => Object.entries(charts))
    .map(([name, { title }]) => `![${title}](${name})`)
  return [
    table([['CPU of', 'fastify-jwt-accounts', '@fastify/jwt by hand', 'better-auth'], ...rows]),
    beside,
    ...charts,
  ].join('\n\n')
}

const whole = (value: number) => Math.round(value).toLocaleString('en')
const factorOf = (factor: number) => `× ${factor < 10 ? factor.toFixed(2) : whole(factor)}`

/** Writes the page and its charts from all that is stored. */
export function writePage (): void {
  const sections = order.flatMap((part) => read(part))
  for (const name of readdirSync(docs).filter((name) => /^performance-.+\.svg$/.test(name))) rmSync(join(docs, name))
  for (const { charts } of sections) {
    for (const [name, chart] of Object.entries(charts)) writeFileSync(join(docs, name), barChart(chart))
  }
  const parts = sections.map(({ title, text, day, machine }) =>
    [`## ${title}`, text, `*Measured on ${day}: ${machine}.*`].join('\n\n'))
  const page = [intro, opening(sections), reading, ...parts, targetsOf(sections), why, `## Versions\n\n${versions()}`]
  writeFileSync(join(docs, 'performance.md'), `${page.join('\n\n')}\n`)
}

function read (part: string): Stored[] {
  try {
    return [JSON.parse(readFileSync(join(results, `${part}.json`), 'utf8'))]
  } catch {
    return []
  }
}

function targetsOf (sections: Section[]): string {
  const rows = sections
    .flatMap(({ targets }) => targets)
    .map(({ what, most, least, found }) => {
      const isMet = most === undefined ? found >= least! : found <= most
      return [
        what,
        most === undefined ? `≥ ${least}` : `≤ ${Number(most.toFixed(3))}`,
        found.toFixed(2),
        isMet ? 'yes' : '**no**',
      ]
    })
  return `## Promises\n\nAll of them are ratios.\n\n${table([['what', 'promised', 'measured', 'kept'], ...rows])}`
}

/** The first row is the head. */
export function table ([head, ...rows]: string[][]): string {
  return [head!, head!.map((_, column) => (column === 0 ? '---' : '--:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
}

const compared = [
  'fastify',
  '@fastify/jwt',
  'fast-jwt',
  'jose',
  'express',
  'passport-jwt',
  'better-auth',
  '@mikro-orm/core',
  'better-sqlite3',
  'pg',
  'argon2',
  'autocannon',
]

function versions (): string {
  const { packages } = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package-lock.json'), 'utf8'))
  return table([['package', 'version'], ...compared.map((name) => [name, packages[`node_modules/${name}`].version])])
}
