import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import t, { type Test } from 'tap'
import { newPassword } from '../../lib/cli/password.ts'
import { buildOnFile, password } from '../support/build.ts'
import { main } from './cli.ts'
import { held } from './held.ts'

/** Types an answer to each question of a terminal, and gives what came of it and what was shown. */
async function type (...answers: string[]) {
  const io = held(true)
  const asked = newPassword({}, io)
  for (const answer of answers) {
    io.stdin.write(answer)
    await once(io.stderr, 'written')
  }
  const given = await asked.catch((error) => error)
  return { given, shown: io.stderr.text() + io.stdout.text() }
}

t.test('at a terminal a password is typed twice, and not shown', async (t) => {
  const { given, shown } = await type(`${password}\r`, `${password}\r`)
  t.equal(given, password)
  t.equal(shown, 'Password: \nRepeat it: \n')
})

t.test('two passwords are none', async (t) => {
  const { given } = await type(`${password}\r`, 'another one\r')
  t.match(given, { code: 'ACCOUNTS_REFUSED', message: /passwords differ/ })
})

t.test('who gives up has changed nothing', async (t) => {
  for (const key of ['\u0003', '\u0004']) {
    t.match((await type(key)).given, { code: 'ACCOUNTS_REFUSED', message: 'No password was given' })
  }
})

t.test(
  'a real terminal shows the question and never the answer',
  { skip: !existsSync('/usr/bin/script') && 'there is no script(1)' },
  async (t: Test) => {
    const { app, db } = await buildOnFile(t)
    const command = `'${process.execPath}' '${main}' user add ada --db '${db}'`
    const terminal = spawn('script', ['-qec', command, '/dev/null'], {
      env: { PATH: process.env.PATH },
      cwd: t.testdir({}),
    })
    t.teardown(() => terminal.kill())

    let shown = ''
    terminal.stdout.on('data', (chunk) => {
      shown += chunk
    })
    const see = async (text: string) => {
      while (!shown.includes(text)) await once(terminal.stdout, 'data')
    }
    for (const question of ['Password: ', 'Repeat it: ']) {
      await see(question)
      terminal.stdin.write(`${password}\r`)
    }
    await see('was created.')
    t.notMatch(shown, password)
    t.equal(
      (await app.inject({ method: 'POST', url: '/auth/login', payload: { username: 'ada', password } })).statusCode,
      200
    )
  }
)
