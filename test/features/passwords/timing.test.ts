// In a process of its own, for 15 s: it measures how long the processor takes.
import { scryptSync } from 'node:crypto'
import * as argon2 from 'argon2'
import t from 'tap'
import { legacy } from '../../../lib/index.ts'
import { build, buildOnFile, password } from '../../support/build.ts'
import { compare, median, shuffled, tail } from '../../support/ranks.ts'

const cost = { memoryCost: 4096, timeCost: 2, parallelism: 1 }
const rounds = 300
const oldPepper = 'kR7vQ2mXw9LzT4cN8bYh3JfP6sDgA1uE'
const pepper = 'W3nB8xKq5VtR1yHc7ZmJ4pLs9DfG2aUe'

t.test('the approximation is that of the tables', async (t) => {
  for (const [z, p] of [
    [0, 1],
    [1, 0.3173],
    [1.96, 0.05],
    [3.2905, 0.001],
  ] as const) { t.ok(Math.abs(tail(z) - p) < 0.0001) }
  const numbers = Array.from({ length: 100 }, (_, index) => index)
  t.ok(compare(numbers, numbers.map((n) => n + 0.5)).p > 0.9)
  t.ok(compare(numbers, numbers.map((n) => n + 40)).p < 0.001)
  t.match(compare([2, 4], [1, 3]), { u: 3, share: 0.75 })
  t.match(compare(numbers, numbers.map((n) => n - 1000)), { u: 10_000, share: 1 })
})

t.test('time does not tell why a login fails', async (t) => {
  const { db, app: earlier } = await buildOnFile(t, { password: { argon2: cost, pepper: oldPepper } })
  await earlier.accounts.users.create({ username: 'pepper', password })
  const { app, post } = await build(t, {
    db,
    password: { argon2: cost, pepper: [pepper, oldPepper], legacy: [legacy.scrypt({ N: 256 })] },
  })
  const { users } = app.accounts
  await users.create({ username: 'wrong', password })
  await users.disable((await users.create({ username: 'disabled', password })).id)
  await users.create({
    username: 'imported',
    passwordHash: `scrypt:256:8:1$salt$${scryptSync(password, 'salt', 64, { N: 256, r: 8, p: 1 }).toString('hex')}`,
  })
  await users.create({ username: 'cheaper', passwordHash: await argon2.hash(password, { ...cost, timeCost: 1 }) })

  const names = ['unknown', 'wrong', 'disabled', 'imported', 'pepper', 'cheaper']
  const times = Object.fromEntries(names.map((name) => [name, { wall: [] as number[], processor: [] as number[] }]))
  for (let round = -5; round < rounds; round++) {
    // In any order: each comes after each, and what one leaves behind, in caches and as garbage, meets all alike.
    for (const username of shuffled(names)) {
      const [startedAt, usedBefore] = [performance.now(), process.cpuUsage()]
      const { statusCode } = await post('/auth/login', {
        username,
        password: username === 'disabled' ? password : `${password}!`,
      })
      const [taken, { user, system }] = [performance.now() - startedAt, process.cpuUsage(usedBefore)]
      if (statusCode !== 401) t.fail(`${username} got in`)
      if (round < 0) continue
      times[username]!.wall.push(taken)
      times[username]!.processor.push((user + system) / 1000)
    }
  }

  // A leak shows in both; a neighbour on the machine, who comes and goes, in the first alone.
  for (const name of names.slice(1)) {
    const ratios = (['wall', 'processor'] as const).map((clock) => {
      const [some, others] = [times[name]![clock], times.unknown![clock]]
      const [here, there] = [median(some), median(others)]
      const ratio = Math.max(here / there, there / here)
      t.comment(
        `${clock}: ${name} ${here.toFixed(2)} ms, unknown ${there.toFixed(2)} ms, ratio ${ratio.toFixed(3)}, p ${compare(some, others).p.toFixed(4)}`
      )
      return ratio
    })
    t.ok(Math.min(...ratios) <= 1.15, name)
  }
})
