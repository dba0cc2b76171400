// @ts-nocheck
import fc from 'fast-check'
import t from 'tap'
import { decide, isVoid, type RotationPolicy, type SessionState, type Verdict } from '../../lib/sessions/rotation.ts'
import { refreshId, type RefreshClaims } from '../../lib/tokens/refresh-token.ts'

interface Case { row: SessionState, token: RefreshClaims, now: Date, policy: RotationPolicy }

const second = 1000
const salt = 'a salt'
const numRuns = 5000
const start = Date.UTC(2026, 0, 1)

/** Times that lie before, at and after the limits of a session, to the millisecond. */
const near = (at: number) => fc.oneof(fc.integer({ min: at - 2, max: at + 2 }), fc.integer({ min: at - 100 * second, max: at + 100 * second }))
const often = <Value> (value: Value, other: fc.Arbitrary<Value>) => fc.oneof({ weight: 12, arbitrary: fc.constant(value) }, other)
const policies = fc.record<RotationPolicy>({
  windowSeconds: fc.constantFrom(0, 1, 30, 120),
  replay: fc.constantFrom('until-confirmed', 'until-superseded'),
})

/** Rows as the statements leave them: the generation before is below, and nothing is confirmed that was not sent. */
const counters = fc.tuple(fc.nat(6), fc.nat(2), fc.nat(2), near(start), fc.nat(2), fc.nat(2))
const rows = counters.chain(([gen, back, seen, answered, ver, epoch]) => fc.record<SessionState>({
  ver: fc.constant(ver),
  salt: fc.constant(salt),
  gen: fc.constant(gen),
  prevGen: fc.constant(gen === 0 ? null : Math.max(0, gen - 1 - back)),
  confirmedGen: fc.constant(Math.max(0, gen - seen)),
  answeredAt: fc.constant(new Date(answered)),
  refreshExpiresAt: often(new Date(start + 9000 * second), near(start).map((at) => new Date(at))),
  absoluteExpiresAt: often(new Date(start + 9000 * second), near(start).map((at) => new Date(at))),
  revokedAt: often<Date | null>(null, fc.constant(new Date(start))),
  user: fc.record({
    id: fc.constant('ada'),
    epoch: often(Math.min(ver, epoch), fc.nat(3)),
    disabledAt: often<Date | null>(null, fc.constant(new Date(start))),
  }),
}))

function token (gen: number, claims: Partial<RefreshClaims> = {}): RefreshClaims {
  return { iss: '', aud: '', sub: 'ada', sid: '', ver: 0, iat: 0, exp: 0, gen, jti: refreshId(salt, gen), ...claims }
}

const tokens = (row: SessionState) => fc.oneof(
  { weight: 12, arbitrary: fc.nat(row.gen + 3).map((gen) => token(gen)) },
  fc.record({ gen: fc.nat(8), jti: fc.string() }).map(({ gen, jti }) => token(gen, { jti })),
  fc.record({ gen: fc.nat(8), other: fc.nat(8) }).map(({ gen, other }) => token(gen, { jti: refreshId(salt, other) })),
  fc.nat(8).map((gen) => token(gen, { sub: 'bob' }))
)

const cases: fc.Arbitrary<Case> = fc.tuple(rows, policies).chain(([row, policy]) => fc.record({
  row: fc.constant(row),
  policy: fc.constant(policy),
  token: tokens(row),
  now: fc.oneof(near(start), near(row.answeredAt.getTime() + policy.windowSeconds * second)).map((at) => new Date(at)),
}))

/** The table of `docs/sessions.md`, each row by itself: it tells when its verdict fits, knowing nothing of the rows above. */
const table: [Verdict, (given: Case) => boolean][] = [
  ['DEAD', ({ row, now }) => now >= row.refreshExpiresAt || now >= row.absoluteExpiresAt],
  ['DEAD', ({ row }) => row.revokedAt !== null || row.user.disabledAt !== null || row.user.epoch > row.ver],
  ['FORGED', ({ row, token }) => token.jti !== refreshId(row.salt, token.gen) || token.sub !== row.user.id],
  ['ADOPT', ({ row, token }) => token.gen - row.gen === 1],
  ['INVALID', ({ row, token }) => token.gen - row.gen > 1],
  ['SAME', (given) => given.token.gen === given.row.gen && given.row.gen !== 0 && isOpen(given)],
  ['ROTATE', ({ row, token }) => token.gen === row.gen],
  ['SAME', (given) => given.token.gen === given.row.prevGen && isOpen(given)],
  ['REUSE', ({ policy }) => policy.windowSeconds === 0],
  ['SKIP', ({ row, token, policy }) => token.gen === row.prevGen && (policy.replay === 'until-superseded' || row.confirmedGen !== row.gen)],
  ['REUSE', () => true],
]

function isOpen ({ row, now, policy }: Case): boolean {
  return policy.windowSeconds !== 0 && now.getTime() < row.answeredAt.getTime() + policy.windowSeconds * second
}

const verdictOf = ({ row, token, now, policy }: Case) => decide(row, token, now, policy)
const holds = (rule: (given: Case) => boolean) => fc.assert(fc.property(cases, rule), { seed: 4, numRuns })

t.test('the verdict is that of the first row of the table that fits', async (t) => {
  const seen = new Set<Verdict>()
  holds((given) => {
    seen.add(verdictOf(given))
    return verdictOf(given) === table.find(([, fits]) => fits(given))![0]
  })
  t.equal(seen.size, 8, 'each verdict was reached')
})

t.test('nothing is written while judging, and the same question has the same answer', async () => {
  holds((given) => {
    const before = JSON.stringify(given)
    const [first, again] = [verdictOf(given), verdictOf(given)]
    return first === again && JSON.stringify(given) === before
  })
})

t.test('whatever is ended, disabled or logged out everywhere is dead, with every token', async () => {
  holds((given) => decide({ ...given.row, revokedAt: new Date(0) }, given.token, given.now, given.policy) === 'DEAD')
  holds((given) => decide({ ...given.row, user: { ...given.row.user, disabledAt: new Date(0) } }, given.token, given.now, given.policy) === 'DEAD')
  holds((given) => decide({ ...given.row, user: { ...given.row.user, epoch: given.row.ver + 1 } }, given.token, given.now, given.policy) === 'DEAD')
  holds(({ token, now, policy }) => decide(null, token, now, policy) === 'DEAD')
})

t.test('a limit or a clock that cannot be read is over', async () => {
  const broken = new Date(NaN)
  for (const limit of ['refreshExpiresAt', 'absoluteExpiresAt']) {
    holds((given) => decide({ ...given.row, [limit]: broken }, given.token, given.now, given.policy) === 'DEAD')
  }
  holds((given) => decide(given.row, given.token, broken, given.policy) === 'DEAD')
})

t.test('a time of an answer that cannot be read opens no window', async () => {
  holds((given) => decide({ ...given.row, answeredAt: new Date(NaN) }, given.token, given.now, given.policy) !== 'SAME')
})

t.test('nothing passes that this session did not give to that generation of that user', async () => {
  const refused = ['DEAD', 'FORGED']
  holds((given) => refused.includes(decide({ ...given.row, salt: 'another' }, given.token, given.now, given.policy)))
  holds((given) => refused.includes(decide({ ...given.row, user: { ...given.row.user, id: 'eve' } }, given.token, given.now, given.policy)))
  const isMoved = ({ gen, jti }: RefreshClaims) => jti !== refreshId(salt, gen)
  holds((given) => isMoved(given.token) || refused.includes(verdictOf({ ...given, token: { ...given.token, gen: given.token.gen + 1 } })))
})

t.test('without a window, a token works once: it is never answered with another, and never forgiven', async () => {
  holds((given) => !['SAME', 'SKIP'].includes(verdictOf({ ...given, policy: { ...given.policy, windowSeconds: 0 } })))
})

t.test('only one generation moves the session on by itself, and the one before only in its place', async () => {
  fc.assert(fc.property(rows, policies, near(start), (row, policy, at) => {
    const verdicts = Array.from({ length: row.gen + 4 }, (_, gen) => decide(row, token(gen), new Date(at), policy))
    const moving = verdicts.flatMap((verdict, gen) => verdict === 'ROTATE' ? [gen] : [])
    const skipping = verdicts.flatMap((verdict, gen) => verdict === 'SKIP' ? [gen] : [])
    return moving.every((gen) => gen === row.gen) && skipping.every((gen) => gen === row.prevGen)
  }), { seed: 4, numRuns })
})

t.test('a generation that was skipped is a replay for ever, in the window and after it', async () => {
  holds((given) => !isVoid(given.row, given.token.gen) || ['DEAD', 'FORGED', 'REUSE'].includes(verdictOf(given)))
})

t.test('a longer window never refuses what a shorter one lets pass', async () => {
  const good: Verdict[] = ['SAME', 'ROTATE', 'SKIP', 'ADOPT']
  const longer = ({ policy }: Case) => ({ ...policy, windowSeconds: policy.windowSeconds + 60 })
  holds((given) => !good.includes(verdictOf(given)) || good.includes(verdictOf({ ...given, policy: longer(given) })))
})
