// On each database.
import { mock } from 'node:test'
import { setImmediate as settled, setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startPoll } from '../../lib/sessions/poll.ts'
import { letPass } from '../support/waiting.ts'

const seconds = { pollIntervalSeconds: 60, maxStalenessSeconds: 300 }

/** A poll whose reads last until they are answered; the first is. */
async function polling (t: Test, settings = seconds) {
  const reads: PromiseWithResolvers<void>[] = []
  const told: string[] = []
  const log = {
    warn: (_: Error, message: string) => {
      told.push(message)
    },
    info: (message: string) => {
      told.push(message)
    },
  }
  const starting = startPoll(() => {
    reads.push(Promise.withResolvers<void>())
    return reads.at(-1)!.promise
  }, settings, log as never)
  reads[0]!.resolve()
  const poll = await starting
  t.teardown(poll.close)

  /** The read with this number, once it has begun. */
  const read = async (number: number) => {
    while (reads.length < number) await pause(1)
    return reads[number - 1]!
  }
  return { poll, reads, read, told }
}

t.test('many messages are one read, and one that comes during a read is another', async (t) => {
  const { poll, reads, read } = await polling(t)
  for (let times = 0; times < 100; times++) poll.wake()
  const second = await read(2)
  poll.wake()
  second.resolve()
  const third = await read(3)
  third.resolve()
  await pause(50)
  t.equal(reads.length, 3)
})

t.test(
  'messages put a read off no further, and one that was read for takes the place of the one that was due',
  async (t) => {
    mock.timers.enable({ apis: ['setTimeout'] })
    t.teardown(() => mock.timers.reset())
    const { poll, reads } = await polling(t)
    poll.wake()
    mock.timers.tick(5)
    poll.wake()
    mock.timers.tick(5)
    await settled()
    t.equal(reads.length, 2)
    reads[1]!.resolve()
    await settled()
    mock.timers.tick(59_995)
    await settled()
    t.equal(reads.length, 2)
    mock.timers.tick(5)
    await settled()
    t.equal(reads.length, 3)
    reads[2]!.resolve()
  }
)

t.test(
  'a message that comes while a request reads is another read, for that one may have been too early',
  async (t) => {
    const { poll, read } = await polling(t)
    letPass(t, 300_001)
    const asking = poll.catchUp()
    const second = await read(2)
    poll.wake()
    await pause(30)
    second.reject(new Error('away'))
    await t.rejects(asking, { message: 'away' })
    const third = await read(3)
    third.resolve()
  }
)

t.test(
  'who has to wait for a read is told after maxStaleness that it cannot be, though the read goes on',
  async (t) => {
    const { poll, read } = await polling(t, { ...seconds, maxStalenessSeconds: 0.1 })
    await pause(110)
    await t.rejects(poll.catchUp(), { code: 'ACCOUNTS_UNAVAILABLE' })
    const second = await read(2)
    second.resolve()
    await pause(1)
    t.notOk(poll.isFresh(), 'what it brings is as old as its beginning')
  }
)

t.test('a database that goes away is told of once, and once when it is back', async (t) => {
  const { poll, read, told } = await polling(t)
  for (const [number, error] of [[2, 'away'], [3, 'away'], [4, null], [5, null]] as const) {
    poll.wake()
    const reading = await read(number)
    if (error) reading.reject(new Error(error))
    else reading.resolve()
    await pause(20)
    t.equal(told.length, number < 4 ? 1 : 2)
  }
  t.same(told, [
    'The log of revocations cannot be read: requests wait for the database',
    'The log of revocations is read again',
  ])
})

for (const [how, byMs] of [
  ['slept for an hour', 3_600_000],
  ['has a clock that was put back an hour', -3_600_000],
] as const) {
  t.test(`what is known is old on a machine that ${how}`, async (t) => {
    const { poll } = await polling(t)
    t.ok(poll.isFresh())
    if (byMs < 0) letPass(t, 300_001)
    const { now } = Date
    t.teardown(() => mock.restoreAll())
    mock.method(Date, 'now', () => now() + byMs)
    t.notOk(poll.isFresh())
  })
}

t.test('who asks during a read that began just now waits for that, and for no other', async (t) => {
  const { poll, read, reads } = await polling(t)
  poll.wake()
  const second = await read(2)
  const asking = poll.catchUp()
  second.resolve()
  await asking
  t.equal(reads.length, 2)
})

t.test('who asks during a read that began long ago asks again', async (t) => {
  const { poll, read, reads } = await polling(t)
  poll.wake()
  const second = await read(2)
  letPass(t, 300_001)
  const late = poll.catchUp()
  second.resolve()
  const third = await read(3)
  third.resolve()
  await late
  t.ok(poll.isFresh())
  t.equal(reads.length, 3)
})

t.test('to close is to wait for a read, whatever comes of it, and to begin no other', async (t) => {
  const { poll, read, reads } = await polling(t)
  poll.wake()
  const second = await read(2)
  const closing = poll.close()
  poll.wake()
  second.reject(new Error('away'))
  await closing
  await pause(50)
  t.equal(reads.length, 2)
})

for (const [how, pass] of [
  ['was stopped', letPass],
  ['slept', (t: Test, ms: number) => {
    const { now } = Date
    t.teardown(() => { Date.now = now })
    Date.now = () => now() + ms
  }],
] as const) {
  t.test(`a process that ${how} for longer than it polls reads before it answers, and then once`, async (t) => {
    const { poll, read, reads } = await polling(t)
    pass(t, 59_000)
    t.ok(poll.isFresh(), 'a shorter pause is none')
    pass(t, 1_001)
    t.notOk(poll.isFresh())
    t.notOk(poll.isFresh(), 'nor is it without a read')
    const asking = poll.catchUp()
    const second = await read(2)
    second.resolve()
    await asking
    for (let times = 0; times < 1000; times++) t.ok(poll.isFresh())
    t.equal(reads.length, 2)
  })
}

t.test('what was being read when the process was stopped is not enough', async (t) => {
  const { poll, read } = await polling(t)
  poll.wake()
  const second = await read(2)
  letPass(t, 60_001)
  const asking = poll.catchUp()
  second.resolve()
  const third = await read(3)
  t.notOk(poll.isFresh())
  third.resolve()
  await asking
  t.ok(poll.isFresh())
})

t.test('who is stopped and goes on by a timer has a read that begins then, and needs no other', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { poll, reads } = await polling(t)
  letPass(t, 90_000)
  mock.timers.tick(60_000)
  await settled()
  t.notOk(poll.isFresh())
  reads[1]!.resolve()
  await settled()
  t.ok(poll.isFresh())
  t.equal(reads.length, 2)
})

t.test('a read that takes its time is no pause: nobody waits for it until maxStaleness', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { poll, reads } = await polling(t)
  const half = async () => {
    letPass(t, 30_000)
    mock.timers.tick(30_000)
    await settled()
  }
  for (let times = 0; times < 9; times++) {
    await half()
    t.ok(poll.isFresh())
  }
  t.equal(reads.length, 2, 'and it goes on')
  await half()
  t.notOk(poll.isFresh())
  reads[1]!.resolve()
})
