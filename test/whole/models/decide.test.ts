import fc from 'fast-check'
import t from 'tap'
import {
  decide,
  isVoid,
  type Presented,
  type RotationPolicy,
  type SessionState,
  type Verdict,
} from '../../../lib/sessions/rotation.ts'
import { refreshId } from '../../../lib/tokens/claims.ts'

interface Case { row: SessionState, token: Presented, now: Date, policy: RotationPolicy, floor: number }

const second = 1000
const salt = 'a salt'
const numRuns = 5000
const start = Date.UTC(2026, 0, 1)
/** Few, so that tokens and rows often have the same. */
const branches = ['a', 'b', 'c']

/** Times that lie before, at and after the limits of a session, to the millisecond. */
const near = (at: number) =>
  fc.oneof(fc.integer({ min: at - 2, max: at + 2 }), fc.integer({ min: at - 100 * second, max: at + 100 * second }))
const often = <Value>(value: Value, other: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(value) }, other)
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
  // None after a login and after a floor.
  prevGen: gen === 0 ? fc.constant(null) : often<number | null>(Math.max(0, gen - 1 - back), fc.constant(null)),
  prevBranch: fc.constantFrom(...branches),
  confirmedGen: fc.constant(Math.max(0, gen - seen)),
  floorGen: often(0, fc.nat(gen)),
  answeredAt: fc.constant(new Date(answered)),
  refreshExpiresAt: often(new Date(start + 9000 * second), near(start).map((at) => new Date(at))),
  absoluteExpiresAt: often(new Date(start + 9000 * second), near(start).map((at) => new Date(at))),
  revokedAt: often<Date | null>(null, fc.constant(new Date(start))),
  user: fc.record({
    id: fc.constant('ada'),
    epoch: often(Math.min(ver, epoch), fc.nat(3)),
    disabledAt: often<Date | null>(null, fc.constant(new Date(start))),
  }),
})).map((row) => row.prevGen === null ? { ...row, prevBranch: null } : row)

function token (gen: number, br: string, iat: number, claims: Partial<Presented> = {}): Presented {
  return { sub: 'ada', gen, br, iat, jti: refreshId(salt, gen, br), ...claims }
}

const seconds = near(start).map((at) => Math.floor(at / second))
const genuine = (row: SessionState) =>
  fc.tuple(fc.nat(row.gen + 3), fc.constantFrom(...branches), seconds).map(([gen, br, iat]) => token(gen, br, iat))
const tokens = (row: SessionState) => fc.oneof(
  { weight: 24, arbitrary: genuine(row) },
  fc.tuple(genuine(row), fc.string()).map(([one, jti]) => ({ ...one, jti })),
  fc.tuple(genuine(row), genuine(row)).map(([one, { jti }]) => ({ ...one, jti })),
  genuine(row).map((one) => ({ ...one, sub: 'bob' }))
)

/** At the edges of the windows of the row and of the token, and a minute before either. */
const cases: fc.Arbitrary<Case> = fc.tuple(rows, policies).chain(([row, policy]) => tokens(row).chain((shown) => {
  const windowMs = policy.windowSeconds * second
  const edges = [
    row.answeredAt.getTime() + windowMs,
    row.answeredAt.getTime() - 60 * second,
    shown.iat * second + second + 2 * windowMs,
    (shown.iat - 60) * second,
  ]
  return fc.record({
    row: fc.constant(row),
    policy: fc.constant(policy),
    token: fc.constant(shown),
    now: fc.oneof(near(start), ...edges.map(near)).map((at) => new Date(at)),
    floor: often(0, fc.oneof(fc.nat(row.gen + 3), fc.constant(Infinity))),
  })
}))

/**
 * The table of `docs/sessions.md`, each row by itself: it tells when its verdict fits, knowing nothing of the rows
 * above.
 */
const table: [Verdict, (given: Case) => boolean][] = [
  ['DEAD', ({ row, now }) => now >= row.refreshExpiresAt || now >= row.absoluteExpiresAt],
  ['DEAD', ({ row }) => row.revokedAt !== null || row.user.disabledAt !== null || row.user.epoch > row.ver],
  ['DEAD', ({ floor }) => floor === Infinity],
  ['FORGED', ({ row, token }) => token.jti !== refreshId(row.salt, token.gen, token.br) || token.sub !== row.user.id],
  ['OLD', ({ row, token, floor }) => token.gen < row.floorGen || token.gen < floor],
  ['ADOPT', ({ row, token }) => token.gen > row.gen],
  ['SAME', (given) => given.token.gen === given.row.gen && given.row.gen > 0 && isYoung(given)],
  ['ROTATE', ({ row, token }) => token.gen === row.gen],
  ['SAME', (given) => isRotated(given) && isOpen(given)],
  ['SKIP', (given) => isRotated(given) && given.policy.windowSeconds !== 0 && !isKnown(given)],
  ['REUSE', () => true],
]

const isRotated = ({ row, token }: Case) => token.gen === row.prevGen && token.br === row.prevBranch
const isKnown = ({ row, policy }: Case) => policy.replay === 'until-confirmed' && row.confirmedGen >= row.gen

function isYoung ({ token, now, policy }: Case): boolean {
  const age = now.getTime() - token.iat * 1000
  return policy.windowSeconds !== 0 && age >= -60_000 && age < 1000 + policy.windowSeconds * 2000
}

function isOpen ({ row, now, policy }: Case): boolean {
  const age = now.getTime() - row.answeredAt.getTime()
  return policy.windowSeconds !== 0 && age >= -60_000 && age < policy.windowSeconds * 1000
}

const verdictOf = ({ row, token, now, policy, floor }: Case) => decide(row, token, now, policy, floor)
const inRow = (given: Case, change: Partial<SessionState>) => verdictOf({ ...given, row: { ...given.row, ...change } })
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
  holds((given) => inRow(given, { revokedAt: new Date(0) }) === 'DEAD')
  holds((given) => inRow(given, { user: { ...given.row.user, disabledAt: new Date(0) } }) === 'DEAD')
  holds((given) => inRow(given, { user: { ...given.row.user, epoch: given.row.ver + 1 } }) === 'DEAD')
  holds((given) => verdictOf({ ...given, floor: Infinity }) === 'DEAD')
  holds(({ token, now, policy, floor }) => decide(null, token, now, policy, floor) === 'DEAD')
})

t.test('a limit or a clock that cannot be read is over', async () => {
  const broken = new Date(NaN)
  for (const limit of ['refreshExpiresAt', 'absoluteExpiresAt']) { holds((given) => inRow(given, { [limit]: broken }) === 'DEAD') }
  holds((given) => verdictOf({ ...given, now: broken }) === 'DEAD')
})

t.test('a time of an answer that cannot be read opens no window for the token before', async () => {
  holds((given) => given.token.gen === given.row.gen || inRow(given, { answeredAt: new Date(NaN) }) !== 'SAME')
})

t.test('a time from more than a minute ahead opens no window', async () => {
  const past = (given: Case, at: number) => ({ ...given, now: new Date(at - 60_001) })
  holds(
    (given) => given.token.gen === given.row.gen || verdictOf(past(given, given.row.answeredAt.getTime())) !== 'SAME'
  )
  holds((given) => given.token.gen !== given.row.gen || verdictOf(past(given, given.token.iat * second)) !== 'SAME')
})

t.test('nothing passes that this session did not give to that generation and branch of that user', async () => {
  const refused = ['DEAD', 'FORGED']
  holds((given) => refused.includes(inRow(given, { salt: 'another' })))
  holds((given) => refused.includes(inRow(given, { user: { ...given.row.user, id: 'eve' } })))
  const isMoved = ({ gen, br, jti }: Presented) => jti !== refreshId(salt, gen, br)
  for (const change of [({ gen }: Presented) => ({ gen: gen + 1 }), ({ br }: Presented) => ({ br: `${br}x` })]) {
    holds(
      (given) =>
        isMoved(given.token) ||
        refused.includes(verdictOf({ ...given, token: { ...given.token, ...change(given.token) } }))
    )
  }
})

t.test('what is below a floor ends nothing, whether the floor stands in the row or in the log alone', async () => {
  const ends = ['REUSE', 'ADOPT', 'ROTATE', 'SAME', 'SKIP']
  holds((given) => !ends.includes(verdictOf({ ...given, floor: given.token.gen + 1 })))
  holds((given) => !ends.includes(inRow(given, { floorGen: given.token.gen + 1 })))
})

t.test('a floor that a process knows of lets in what it made itself', async () => {
  holds((given) => verdictOf({ ...given, floor: given.token.gen }) === verdictOf({ ...given, floor: 0 }))
})

t.test('a generation from however far ahead is taken over', async () => {
  const refused = ['DEAD', 'FORGED']
  holds(
    (given) =>
      refused.includes(verdictOf(given)) ||
      verdictOf({ ...given, floor: 0, token: token(given.row.gen + 4000, 'a', 0) }) === 'ADOPT'
  )
})

t.test('without a window, a token works once: it is never answered with another, and never forgiven', async () => {
  holds((given) => !['SAME', 'SKIP'].includes(verdictOf({ ...given, policy: { ...given.policy, windowSeconds: 0 } })))
})

t.test('of all spent tokens only the very one that was rotated is forgiven, never a sibling of it', async () => {
  const forgiving = ['SAME', 'SKIP']
  holds((given) => given.token.gen >= given.row.gen || isRotated(given) || !forgiving.includes(verdictOf(given)))
  holds((given) => given.token.gen === given.row.gen || !forgiving.includes(inRow(given, { prevBranch: null })))
})

t.test(
  'each sibling of the current generation is as good as another, and moves the session on once it is older than two windows',
  async () => {
    const isSibling = ({ row, token }: Case) => token.gen === row.gen
    const others = ({ token: { gen, iat } }: Case) => branches.map((br) => token(gen, br, iat))
    holds(
      (given) =>
        !isSibling(given) ||
        ['DEAD', 'FORGED'].includes(verdictOf(given)) ||
        others(given).every((other) => verdictOf({ ...given, token: other }) === verdictOf(given))
    )
    const isPast = ({ token, now, policy }: Case) =>
      now.getTime() >= token.iat * second + second + 2 * policy.windowSeconds * second
    holds(
      (given) => !isSibling(given) || !isPast(given) || ['DEAD', 'FORGED', 'OLD', 'ROTATE'].includes(verdictOf(given))
    )
  }
)

t.test('a generation that was skipped is a replay for ever, in the window and after it', async () => {
  holds((given) => !isVoid(given.row, given.token.gen) || ['DEAD', 'FORGED', 'OLD', 'REUSE'].includes(verdictOf(given)))
})

t.test('a longer window never refuses what a shorter one lets pass', async () => {
  const good: Verdict[] = ['SAME', 'ROTATE', 'SKIP', 'ADOPT']
  const longer = ({ policy }: Case) => ({ ...policy, windowSeconds: policy.windowSeconds + 60 })
  holds((given) => !good.includes(verdictOf(given)) || good.includes(verdictOf({ ...given, policy: longer(given) })))
})
