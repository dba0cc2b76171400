import fc from 'fast-check'
import t from 'tap'
import { lives, type Circumstances, type Life } from './life.ts'
import type { Outcome } from './outcome.ts'
import { coalesced } from './schemes/coalesced.ts'
import { policy } from './schemes/policy.ts'
import type { Policy } from './schemes/scheme.ts'
import { login, simulate } from './simulate.ts'
import { chaos, crowd, promised, theft } from './situations.ts'

const runs = 3000
const superseded = { replay: 'until-superseded' } as const
const everyPolicy: Partial<Policy>[] = [{}, superseded, { windowSeconds: 0 }]

/** Lives through many lives of this kind, and throws the shortest of those that break the rule. Gives what became of all. */
function holds (circumstances: Circumstances, rule: (outcome: Outcome) => boolean, changes: Partial<Policy> = {}, change = (life: Life) => life) {
  const outcomes: Outcome[] = []
  fc.assert(fc.property(lives(circumstances).map(change), (life) => {
    const outcome = simulate(life, coalesced({ ...policy, ...changes }, login))
    outcomes.push(outcome)
    return rule(outcome)
  }), { seed: 4, numRuns: runs })
  return outcomes
}

const isRight = ({ wrong }: Outcome) => wrong === 0
const isOneLine = ({ lines }: Outcome) => lines <= 1
const isFound = ({ crossed, foundAfter }: Outcome) => !crossed || foundAfter < Infinity
const total = (outcomes: Outcome[]) => outcomes.reduce((sum, { successes }) => sum + successes, 0)

for (const [sentence, circumstances] of Object.entries(promised)) {
  t.test(`an honest client is never logged out: ${sentence}`, async (t) => {
    const outcomes = [...holds(circumstances, ({ loggedOut }) => !loggedOut), ...holds(circumstances, ({ loggedOut }) => !loggedOut, superseded)]
    t.ok(total(outcomes) > 4 * outcomes.length, 'and it refreshes')
  })
}

t.test('of all the refresh tokens of a session never more than one line works, whatever happens', async (t) => {
  for (const changes of everyPolicy) {
    const outcomes = [...holds(chaos, isOneLine, changes), ...holds({ ...chaos, ends: false, thief: false }, isOneLine, changes)]
    t.ok(outcomes.some(({ lines }) => lines === 1))
  }
})

t.test('after a logout, a replay, a changed password or a disabled user nothing works', async (t) => {
  for (const changes of everyPolicy) {
    const outcomes = holds(crowd, ({ wrong, isOver, lines }) => wrong === 0 && !(isOver && lines > 0), changes)
    t.ok(outcomes.filter(({ isOver }) => isOver).length > runs / 2)
  }
})

t.test('nothing extends the absolute limit, and nothing works beyond it', async (t) => {
  const days = 86400
  for (const maxAgeSeconds of [5 * days, 31 * days]) {
    t.ok(total(holds(chaos, isRight, { expiresInSeconds: 3 * days, maxAgeSeconds })) > runs)
    t.ok(total(holds(promised['answers lost, tabs take turns'], isRight, { expiresInSeconds: 3 * days, maxAgeSeconds })) > runs)
  }
})

t.test('a thief outside the window is found, however late either side comes', async (t) => {
  for (const outcomes of [holds(theft, isFound), holds({ ...crowd, ends: false }, isFound)]) {
    t.ok(outcomes.filter(({ crossed }) => crossed).length > runs / 2)
  }
})

t.test('a thief who keeps the window open, asking again and again, is found when the sides meet outside it', async (t) => {
  const asksOn = (life: Life) => ({
    ...life, events: life.events.flatMap((event) => event.deed === 'thief refresh' ? [event, ...Array(6).fill({ ...event, gapMs: 29_000, choice: 7 })] : [event]),
  })
  for (const outcomes of [holds(theft, isFound, {}, asksOn), holds(theft, isFound, superseded, asksOn)]) {
    t.ok(outcomes.filter(({ crossed }) => crossed).length > runs / 2)
    t.ok(outcomes.filter(({ isOver }) => isOver).length > runs * 0.98)
  }
})

t.test('a thief outside the window is found at the very next refresh of either side, where tokens are used that were bought', async (t) => {
  const showing = (life: Life) => ({ ...life, events: life.events.map((event) => ({ ...event, shows: true })) })
  t.ok(holds(theft, ({ crossed, foundAfter }) => !crossed || foundAfter === 0, {}, showing).filter(({ crossed }) => crossed).length > runs / 2)
})
