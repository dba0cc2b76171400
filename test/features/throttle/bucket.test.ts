// On each database.
import { check, integer, property, record } from 'fast-check'
import t from 'tap'
import { blockedFor, empty, fill, takeBack, type Bucket } from '../../../lib/features/throttle/buckets.ts'

const now = 1_800_000_000_000
const rule = { free: 5, leakMs: 300_000 }
const minutes = 60_000

/** So many failures at one moment, with every block over by then. */
function filled (failures: number, at = now): Bucket {
  return Array.from({ length: failures }).reduce<Bucket>((bucket) => fill(bucket, rule, at), empty)
}

t.test('the free failures block nothing, and each further one for twice as long, up to 15 minutes', async (t) => {
  const blocks = Array.from({ length: 20 }, (_, index) => blockedFor(filled(index + 1), now) / 1000)
  t.same(blocks, [0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900, 900, 900])
})

t.test('a failure is forgotten after as long as one takes to leak', async (t) => {
  const full = filled(5)
  t.equal(fill(full, rule, now + rule.leakMs - 1).blockedUntil, now + rule.leakMs - 1 + 2000)
  t.equal(fill(full, rule, now + rule.leakMs).blockedUntil, 0)
  t.same(fill(full, rule, now + 5 * rule.leakMs), filled(1, now + 5 * rule.leakMs))
})

t.test(
  'an attempt that is taken back leaves the bucket as it was, and the block that another has brought',
  async (t) => {
    const before = filled(5)
    const after = fill(before, rule, now)
    t.same(takeBack(after, rule, after.blockedUntil), before)
    const later = fill(after, rule, now + 2000)
    t.same(takeBack(later, rule, after.blockedUntil), { drainedAt: after.drainedAt, blockedUntil: later.blockedUntil })
  }
)

t.test('a bucket of a clock that was wrong for a while locks nobody out for longer than any other', async (t) => {
  const wrong = filled(30, now + 1e12)
  t.equal(blockedFor(wrong, now), 0)
  const next = fill(wrong, rule, now)
  t.equal(blockedFor(next, now), 15 * minutes)
  t.ok(next.drainedAt <= now + 16 * rule.leakMs)
  t.equal(
    blockedFor({ ...next, blockedUntil: now + 15 * minutes + 30_000 }, now),
    15 * minutes,
    "of a clock that is a little ahead it is nobody's mistake"
  )
})

t.test(
  'whatever happened, nobody is blocked for more than 15 minutes, and once the bucket has leaked nobody is blocked',
  async (t) => {
    const anything = record({
      drainedAt: integer({ min: 0, max: 2 ** 45 }),
      blockedUntil: integer({ min: 0, max: 2 ** 45 }),
    })
    const result = check(
      property(anything, integer({ min: 1, max: 1_000_000 }), (bucket, free) => {
        const next = fill(bucket, { ...rule, free }, now)
        return (
          blockedFor(bucket, now) <= 15 * minutes &&
          blockedFor(next, now) <= 15 * minutes &&
          blockedFor(next, next.blockedUntil) === 0 &&
          Number.isSafeInteger(next.drainedAt) &&
          Number.isSafeInteger(next.blockedUntil)
        )
      })
    )
    t.notOk(result.failed, JSON.stringify(result.counterexample))
  }
)
