// On each database.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { decide, isVoid, type RotationPolicy, type SessionState } from '../../lib/sessions/rotation.ts'
import { refreshId } from '../../lib/tokens/claims.ts'

const salt = 'a salt of this session alone'
const now = new Date('2026-01-01T12:00:00Z')
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000)
const ahead = (seconds: number) => ago(-seconds)

const normal: RotationPolicy = { windowSeconds: 30, replay: 'until-confirmed' }
const superseded: RotationPolicy = { windowSeconds: 30, replay: 'until-superseded' }
const strict: RotationPolicy = { windowSeconds: 0, replay: 'until-confirmed' }

type Changes = Partial<SessionState>

/** The token of a generation that the owner has; a sibling has another branch. */
const branch = (gen: number) => `branch of gen ${gen}..`.slice(0, 16)
const sibling = 'a sibling ______'

/** A session that was refreshed twice, a minute ago: 4 was confirmed, then 5 was sent. */
function row (changes: Changes = {}): SessionState {
  return {
    ver: 0,
    salt,
    gen: 5,
    prevGen: 4,
    prevBranch: branch(4),
    confirmedGen: 4,
    floorGen: 0,
    answeredAt: ago(60),
    refreshExpiresAt: ahead(3600),
    absoluteExpiresAt: ahead(7200),
    revokedAt: null,
    user: { id: 'ada', epoch: 0, disabledAt: null },
    ...changes,
  }
}

interface Shown {
  br?: string
  jti?: string
  sub?: string
  /** Seconds since it was issued. */
  age?: number
  /** The floor that this process knows of. */
  floor?: number
}

function token (gen: number, { br = branch(gen), jti = refreshId(salt, gen, br), sub = 'ada', age = 60 }: Shown = {}) {
  return { sub, iat: now.getTime() / 1000 - age, gen, br, jti }
}

const fresh = { answeredAt: ago(29) }
const toCome = { answeredAt: ahead(60) }
const confirmed = { confirmedGen: 5 }
const first = { gen: 0, prevGen: null, prevBranch: null, confirmedGen: 0 }
/** 3 was the last that was answered with and arrived; 4 was taken for lost, and 5 sent in its place. */
const skipped = { prevGen: 3, prevBranch: branch(3), confirmedGen: 3 }
/** 5 was made by a proof of who one is. */
const floored = { prevGen: null, prevBranch: null, floorGen: 5 }

const table: [
  sentence: string,
  row: SessionState | null,
  gen: number,
  policy: RotationPolicy,
  verdict: string,
  shown?: Shown
][] = [
  ['no session', null, 5, normal, 'DEAD'],
  ['an ended session', row({ revokedAt: ago(1) }), 5, normal, 'DEAD'],
  ['a session that the log has ended', row(), 5, normal, 'DEAD', { floor: Infinity }],
  ['a session idle for too long', row({ refreshExpiresAt: now }), 5, normal, 'DEAD'],
  ['a session in its last second of idleness', row({ refreshExpiresAt: ahead(1) }), 5, normal, 'ROTATE', { age: 61 }],
  ['a session at its absolute limit', row({ absoluteExpiresAt: now }), 5, normal, 'DEAD'],
  ['a disabled user', row({ user: { id: 'ada', epoch: 0, disabledAt: ago(1) } }), 5, normal, 'DEAD'],
  ['a user logged out everywhere', row({ user: { id: 'ada', epoch: 1, disabledAt: null } }), 5, normal, 'DEAD'],
  [
    'a session that went on through that',
    row({ ver: 1, user: { id: 'ada', epoch: 1, disabledAt: null } }),
    5,
    normal,
    'ROTATE',
    { age: 61 },
  ],
  ['a dead session, whatever the token', row({ revokedAt: ago(1) }), 2, normal, 'DEAD'],

  ['what a floor made void', row(floored), 4, normal, 'OLD'],
  ['what a floor made void, strictly', row(floored), 4, strict, 'OLD'],
  ['what a floor made void that only the log tells of', row(), 5, normal, 'OLD', { floor: 1005 }],
  ['what only the row tells of', row(floored), 4, normal, 'OLD', { floor: 3 }],
  ['the first token of a floor', row(floored), 5, normal, 'SAME', { age: 0, floor: 5 }],
  ['a forged one below the floor', row(floored), 4, normal, 'FORGED', { jti: 'x' }],
  ['one that a lost floor made', row(), 1005, normal, 'ADOPT', { floor: 1005 }],

  ['the next generation: our commit was lost', row(), 6, normal, 'ADOPT'],
  ['the next generation, strictly', row(), 6, strict, 'ADOPT'],
  ['a generation further ahead: several were', row(), 1007, normal, 'ADOPT'],

  ['the current one, issued just now', row(), 5, normal, 'SAME', { age: 0 }],
  ['the current one, issued two windows ago and in this second', row(), 5, normal, 'SAME', { age: 60.999 }],
  ['the current one, issued two windows and a second ago', row(), 5, normal, 'ROTATE', { age: 61 }],
  ['the current one, issued long ago, whenever the last answer was', row(fresh), 5, normal, 'ROTATE', { age: 61 }],
  ['a sibling of the current one', row(), 5, normal, 'SAME', { br: sibling, age: 0 }],
  ['a sibling of the current one, later', row(), 5, normal, 'ROTATE', { br: sibling, age: 61 }],
  ['the first one of all, just after the login', row(first), 0, normal, 'ROTATE', { age: 0 }],
  ['the current one, strictly', row(fresh), 5, strict, 'ROTATE', { age: 0 }],
  ['the current one, by a clock that is behind', row(), 5, normal, 'SAME', { age: -60 }],
  ['the current one, by a clock that is far behind', row(), 5, normal, 'ROTATE', { age: -61 }],
  ['the current one, by a clock that is behind, strictly', row(), 5, strict, 'ROTATE', { age: -10 }],

  ['the previous one in the window', row(fresh), 4, normal, 'SAME'],
  ['the previous one in the window, its successor confirmed', row({ ...fresh, ...confirmed }), 4, normal, 'SAME'],
  ['the previous one by a clock that is behind', row({ ...toCome, ...confirmed }), 4, normal, 'SAME'],
  [
    'the previous one by a clock that is far behind',
    row({ answeredAt: ahead(60.001), ...confirmed }),
    4,
    normal,
    'REUSE',
  ],
  ['the previous one by such a clock, its successor never seen', row({ answeredAt: ahead(60.001) }), 4, normal, 'SKIP'],
  ['the previous one on the edge of the window', row({ answeredAt: ago(30) }), 4, normal, 'SKIP'],
  ['the previous one after the window, its successor never seen', row(), 4, normal, 'SKIP'],
  ['the previous one after the window, its successor confirmed', row(confirmed), 4, normal, 'REUSE'],
  ['the same where replay goes on until superseded', row(confirmed), 4, superseded, 'SKIP'],
  ['the previous one, strictly', row(fresh), 4, strict, 'REUSE'],
  ['the previous one, strictly, and late', row(), 4, strict, 'REUSE'],
  ['the previous one, strictly, by a clock that is behind', row(toCome), 4, strict, 'REUSE'],
  ['the previous one, strictly, until superseded', row(), 4, { ...strict, replay: 'until-superseded' }, 'REUSE'],
  ['a sibling of the previous one', row(), 4, normal, 'REUSE', { br: sibling }],
  [
    'a sibling of the previous one in the window, itself as young',
    row(fresh),
    4,
    normal,
    'REUSE',
    { br: sibling, age: 0 },
  ],
  ['a sibling of the previous one, until superseded', row(fresh), 4, superseded, 'REUSE', { br: sibling }],
  ['the previous one where nobody knows which it was', row({ ...fresh, prevBranch: null }), 4, normal, 'REUSE'],

  ['an older one', row(), 3, normal, 'REUSE'],
  ['an older one in the window', row(fresh), 3, normal, 'REUSE'],
  ['an older one, until superseded', row(), 3, superseded, 'REUSE'],
  ['a void one, between the last two', row(skipped), 4, normal, 'REUSE'],
  ['a void one in the window', row({ ...skipped, ...fresh }), 4, normal, 'REUSE'],
  ['the one before the void one, in the window', row({ ...skipped, ...fresh }), 3, normal, 'SAME'],
  ['the one before the void one, still unconfirmed', row(skipped), 3, normal, 'SKIP'],
  ['the one before the void one, confirmed meanwhile', row({ ...skipped, ...confirmed }), 3, normal, 'REUSE'],
]

for (const [sentence, state, gen, policy, verdict, shown] of table) {
  t.test(`${sentence}: ${verdict}`, async (t) => {
    t.equal(decide(state, token(gen, shown), now, policy, shown?.floor), verdict)
  })
}

t.test('a jti that the session never gave to that generation and branch is forged, whatever its length', async (t) => {
  for (const gen of [0, 3, 4, 5, 6, 7]) {
    const right = refreshId(salt, gen, branch(gen))
    for (const jti of [
      '',
      'short',
      refreshId(salt, gen + 1, branch(gen)),
      refreshId(salt, gen, sibling),
      refreshId('another salt', gen, branch(gen)),
      `${right}x`,
    ]) {
      t.equal(decide(row(), token(gen, { jti }), now, normal), 'FORGED')
    }
  }
})

t.test('what stands in a jti has one reading: no generation and branch run into each other', async (t) => {
  t.not(refreshId(salt, 1, '1aaaaaaaaaaaaaaa'), refreshId(salt, 11, 'aaaaaaaaaaaaaaa'))
})

t.test('a token of another user is forged', async (t) => {
  for (const gen of [3, 4, 5, 6]) t.equal(decide(row(), token(gen, { sub: 'bob' }), now, normal), 'FORGED')
})

t.test('void are the generations between the last two that were answered with', async (t) => {
  const state = row({ gen: 7, prevGen: 4 })
  t.same([3, 4, 5, 6, 7, 8].map((gen) => isVoid(state, gen)), [false, false, true, true, false, false])
  t.equal(isVoid(row(first), 0), false)
})

t.test('only the last two generations that were answered with can move a session on', async (t) => {
  const living = ['ROTATE', 'SKIP']
  for (const state of table.map(([, state]) => state)) {
    for (const policy of [normal, superseded, strict]) {
      const moving = [0, 1, 2, 3, 4, 5].filter((gen) => living.includes(decide(state, token(gen), now, policy)))
      t.ok(moving.every((gen) => gen === state!.gen || gen === state!.prevGen))
    }
  }
})

t.test('the table above the code is the one in the docs', async (t) => {
  const read = (...path: string[]) => readFileSync(join(import.meta.dirname, '..', '..', ...path), 'utf8')
  const rowsOf = (text: string) =>
    [...text.matchAll(/^(?: \* )?\| (.+?) +\| ([A-Z]+) +\|/gm)].map(([, presented, verdict]) => [presented, verdict])
  const rows = rowsOf(read('docs', 'sessions.md'))
  t.equal(rows.length, 9)
  t.same(rowsOf(read('lib', 'sessions', 'rotation.ts')), rows)
})
