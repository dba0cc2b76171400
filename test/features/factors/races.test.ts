// On each database.
// In a process of its own, for 60 s: it starts others.
// With more rounds in trials.
import t from 'tap'
import { buildOnFile } from '../../support/build.ts'
import { rounds } from '../../support/rounds.ts'
import { codeOf, factorsOf } from './enrolled.ts'
import { crowd, refusals, startRace, winners } from './race.ts'

/** Ada with an app, four processes, and a way to send 32 second steps to them at once. */
async function begin () {
  const built = await buildOnFile(t, { factors: { recoveryCodes: 20 } })
  const used = factorsOf(built)
  const { access_token: token } = await built.signUp()
  const { secret, body } = await used.enrol(token)
  const send = await startRace(t, built.db, { factors: true })

  return {
    ...built,
    ...used,
    secret,
    recoveryCodes: body.recovery_codes as string[],
    count: async (table: string, where = '1 = 1') =>
      Number((await built.sql.get(`select count(*) as n from accounts_${table} where ${where}`))!.n),
    race: (bodyOf: (index: number) => object) => send(Array.from({ length: crowd }, (_, index) => ({
      url: '/factors/verify', payload: bodyOf(index),
    }))),
    tickets: () => Promise.all(Array.from({ length: crowd }, () => used.ticketOf())),
  }
}

const { count, race, recoveryCodes, secret, sql, ticketOf, tickets, verify } = await begin()

t.test('of many who use one ticket at once one comes in, and what the others brought is not burnt', async (t) => {
  for (let round = 0; round < rounds(1, 50); round++) {
    await sql.run('update accounts_recovery_codes set used_at = null')
    const [sessions, spent] = [await count('sessions'), await count('spent')]
    const ticket = await ticketOf()
    const answers = await race((index) => ({ ticket, recovery_code: recoveryCodes[index % recoveryCodes.length] }))
    t.equal(winners(answers), 1)
    t.ok(refusals(answers).every((code) => ['ACCOUNTS_TOKEN_REVOKED', 'ACCOUNTS_FACTOR_INVALID'].includes(code)), `${refusals(answers)}`)
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
    t.equal(winners(answers), 1)
    t.same(refusals(answers), ['ACCOUNTS_FACTOR_INVALID'])
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
    t.equal(winners(answers), 1)
    t.same(refusals(answers), ['ACCOUNTS_FACTOR_INVALID'])
    t.equal(await count('recovery_codes', 'used_at is not null'), 1)
    t.equal(await count('sessions'), sessions + 1)
    t.equal(await count('spent'), spent + 1)
  }
})
