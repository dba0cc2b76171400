// On each database.
// In a process of its own, for 60 s: it starts others.
// With more rounds in trials.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { buildOnFile } from '../../support/build.ts'
import { rounds } from '../../support/rounds.ts'
import { codeOf, factorsOf } from './enrolled.ts'

const processes = 4
const atOnce = 8

async function startVerifier (db: string): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'verifier.ts'), [db], { execArgv: [] })
  t.teardown(async () => {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  })
  await once(child, 'message')
  return child
}

/** Ada with an app, four processes, and a way to send 32 second steps to them at once. */
async function startRace () {
  const built = await buildOnFile(t, { factors: { recoveryCodes: 20 } })
  const used = factorsOf(built)
  const { access_token: token } = await built.signUp()
  const { secret, body } = await used.enrol(token)
  const verifiers = await Promise.all(Array.from({ length: processes }, () => startVerifier(built.db)))

  return {
    ...built,
    ...used,
    secret,
    recoveryCodes: body.recovery_codes as string[],
    count: async (table: string, where = '1 = 1') =>
      Number((await built.sql.get(`select count(*) as n from accounts_${table} where ${where}`))!.n),
    async race (bodyOf: (index: number) => object): Promise<string[]> {
      const bodies = Array.from({ length: processes * atOnce }, (_, index) => bodyOf(index))
      const said = await Promise.all(verifiers.map(async (verifier, index) => {
        const answer = once(verifier, 'message')
        verifier.send(bodies.slice(index * atOnce, (index + 1) * atOnce))
        const [codes] = await answer as [string[]]
        return codes
      }))
      return said.flat()
    },
    tickets: () => Promise.all(Array.from({ length: processes * atOnce }, () => used.ticketOf())),
  }
}

const { count, race, recoveryCodes, secret, sql, ticketOf, tickets, verify } = await startRace()

const losing = (answers: string[]) => [...new Set(answers.filter((answer) => answer !== 'in'))]

t.test('of many who use one ticket at once one comes in, and what the others brought is not burnt', async (t) => {
  for (let round = 0; round < rounds(1, 50); round++) {
    await sql.run('update accounts_recovery_codes set used_at = null')
    const [sessions, spent] = [await count('sessions'), await count('spent')]
    const ticket = await ticketOf()
    const answers = await race((index) => ({ ticket, recovery_code: recoveryCodes[index % recoveryCodes.length] }))
    t.equal(answers.filter((answer) => answer === 'in').length, 1)
    t.ok(losing(answers).every((code) => ['ACCOUNTS_TOKEN_REVOKED', 'ACCOUNTS_FACTOR_INVALID'].includes(code)), `${losing(answers)}`)
    t.equal(await count('recovery_codes', 'used_at is not null'), 1)
    t.equal(await count('sessions'), sessions + 1)
    t.equal(await count('spent'), spent + 1)
  }
})

t.test('of many who show one code of an app at once one comes in, and the tickets of the others stay good', async (t) => {
  for (let round = 0; round < rounds(1, 50); round++) {
    await sql.run('update accounts_totp set last_step = 0, failures = 0')
    await sql.run('update accounts_recovery_codes set used_at = null')
    const [sessions, spent] = [await count('sessions'), await count('spent')]
    const given = await tickets()
    const code = codeOf(secret)
    const answers = await race((index) => ({ ticket: given[index], code }))
    t.equal(answers.filter((answer) => answer === 'in').length, 1)
    t.same(losing(answers), ['ACCOUNTS_FACTOR_INVALID'])
    t.equal(await count('sessions'), sessions + 1)
    t.equal(await count('spent'), spent + 1)
    const lost = answers.findIndex((answer) => answer !== 'in')
    t.equal((await verify(given[lost], { recovery_code: recoveryCodes[0] })).statusCode, 200)
  }
})

t.test('of many who show one recovery code at once one comes in', async (t) => {
  for (let round = 0; round < rounds(1, 50); round++) {
    await sql.run('update accounts_recovery_codes set used_at = null')
    const [sessions, spent] = [await count('sessions'), await count('spent')]
    const given = await tickets()
    const answers = await race((index) => ({ ticket: given[index], recovery_code: recoveryCodes[0] }))
    t.equal(answers.filter((answer) => answer === 'in').length, 1)
    t.same(losing(answers), ['ACCOUNTS_FACTOR_INVALID'])
    t.equal(await count('recovery_codes', 'used_at is not null'), 1)
    t.equal(await count('sessions'), sessions + 1)
    t.equal(await count('spent'), spent + 1)
  }
})
