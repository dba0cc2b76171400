import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { run } from '../../lib/cli/run.ts'
import { main, spawned } from './cli.ts'
import { held } from './held.ts'

const root = join(import.meta.dirname, '..', '..')
const cwd = t.testdir({})

/** The same in this process, for questions that need no other. */
async function ask (...args: string[]) {
  const io = held()
  return { code: await run(args, io), stdout: io.stdout.text(), stderr: io.stderr.text() }
}

const flagsOf = (help: string) => [...help.matchAll(/^ {2}--([\w-]+)/gm)].map(([, name]) => name!)
const commandsOf = (help: string) =>
  [...help.matchAll(/^ {2}([a-z][a-z-]*(?: [a-z][a-z-]*)?)(?= )/gm)].map(([, name]) => name!)

t.test('the process tells what commands there are, and its version', async (t) => {
  t.match(await spawned(['--help'], { cwd }), { code: 0, stdout: /^Usage: fastify-jwt-accounts COMMAND/, stderr: '' })
  const { stdout } = await promisify(execFile)(process.execPath, [main, '--version'])
  t.equal(stdout, `${JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version}\n`)
})

t.test('every command and every flag stands in docs/command-line.md, and none that is gone', async (t) => {
  const sections = readFileSync(join(root, 'docs', 'command-line.md'), 'utf8').split(/^### /m).slice(1)
  const documented = sections.map((section) => ({
    title: /^`(.+)`$/m.exec(section)![1]!,
    flags: [...section.matchAll(/^\| `--([\w-]+)/gm)].map(([, name]) => name!),
  }))
  const names = commandsOf((await ask('--help')).stdout)
  t.ok(names.length > 12)

  const titles: string[] = []
  for (const name of names) {
    const { stdout } = await ask(...name.split(' '), '--help')
    const title = /^Usage: fastify-jwt-accounts (.+) \[flags\]$/m.exec(stdout)![1]!
    titles.push(title)
    const target = flagsOf(stdout).includes('config') ? ['db', 'name', 'config'] : []
    const own = flagsOf(stdout).filter((flag) => !['json', 'help', ...target].includes(flag))
    t.strictSame(documented.find((section) => section.title === title)?.flags, own, title)
  }
  t.strictSame(documented.map(({ title }) => title), titles)

  const common = readFileSync(join(root, 'docs', 'command-line.md'), 'utf8').split(/^### /m)[0]!
  t.strictSame(
    [...common.matchAll(/^\| `--([\w-]+)/gm)].map(([, name]) => name),
    ['db', 'name', 'config', 'json', 'help', 'version']
  )
})

t.test('what is not a command line is refused with 2, and the nearest is named', async (t) => {
  t.match(await spawned(['usr', 'list'], { cwd }), {
    code: 2,
    stdout: '',
    stderr: 'There is no such command: did you mean "user list"?',
  })
  t.match(await ask('secrte'), { code: 2, stderr: /did you mean "secret"/ })
  t.match(await ask('user', 'lst'), { code: 2, stderr: /did you mean "user list"/ })
  t.match(await ask('user'), { code: 2, stderr: /but user add, user list/ })
  t.match(await ask('something', 'else'), { code: 2, stderr: 'There is no such command: see --help\n' })
  t.match(await ask(), { code: 2, stderr: /A command comes first/ })
  t.match(await ask('--json', 'secret'), { code: 2, stderr: /A command comes first/ })
  t.match(await ask('user', 'list', '--limt', '4'), {
    code: 2,
    stderr: 'There is no --limt here: did you mean "--limit"?\n',
  })
  t.match(await ask('secret', '-x'), { code: 2, stderr: 'There is no -x here\n' })
  t.match(await ask('user', 'list', '--limit'), { code: 2, stderr: /'--limit <value>' argument missing/ })
})

t.test('a command takes the arguments that it says, and what is too much is never repeated', async (t) => {
  t.match(await ask('user', 'disable'), {
    code: 2,
    stderr: 'user disable takes USER and no more: see user disable --help\n',
  })
  t.match(await ask('secret', 'of', 'mine'), { code: 2, stderr: 'secret takes no argument: see secret --help\n' })
  t.match(await ask('user', 'roles'), { code: 2, stderr: /takes USER ROLE…:/ })
  const { code, stderr } = await ask('user', 'add', 'ada', 'hunter2hunter2hunter2')
  t.equal(code, 2)
  t.notMatch(stderr, /hunter2/)
})

t.test('errors are JSON where JSON was asked for', async (t) => {
  const { stderr, stdout, code } = await spawned(['user', 'list', '--json', '--db', 'nowhere.sqlite'], { cwd })
  t.strictSame([code, stdout], [1, ''])
  t.match(JSON.parse(stderr), { error: { code: 'ACCOUNTS_REFUSED', message: /no file nowhere.sqlite/ } })
  t.match(JSON.parse((await ask('usr', '--json')).stderr), { error: { code: 'ACCOUNTS_USAGE' } })
})
