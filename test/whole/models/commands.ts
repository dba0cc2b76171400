import { mock } from 'node:test'
import fc from 'fast-check'
import { decode } from '../../support/build.ts'
import type { Answer, createLife } from './life.ts'
import { pass, type createUser, type Told } from './plugin.ts'

type Life = ReturnType<typeof createLife>

/** The model of a user's session, and what it was answered with so far. */
export interface Model {
  life: Life
  answers: Answer[]
}

type Real = Awaited<ReturnType<typeof createUser>>
export type Command = fc.AsyncCommand<Model, Real>

const second = 1000
const minute = 60 * second
const day = 24 * 60 * minute

/** What the plugin drew by lot, so that the model does not draw another one. */
const branchOf = ({ tokens }: Told): string => tokens ? decode(tokens.refresh_token).payload.br : 'none'

/** Both give tokens of the same generation with the same times: the very one that was shown, or one like no other. */
function agree (told: Told, expected: Answer, shown: number | undefined, { answers }: Model, { tokens }: Real): void {
  const [refresh, access] = [decode(told.tokens!.refresh_token).payload, decode(told.tokens!.access_token).payload]
  const { gen, br, pa, ver, iat, exp } = expected.refresh
  same([refresh.gen, refresh.br, refresh.pa, refresh.ver, refresh.iat, refresh.exp], [gen, br, pa, ver, iat, exp])
  same(
    [access.gen, access.ver, access.iat, access.exp],
    [expected.access.gen, expected.access.ver, expected.access.iat, expected.access.exp]
  )
  const echoed = shown !== undefined && expected.refresh === answers[shown]!.refresh
  const earlier = tokens.slice(0, -1).map(({ refresh_token: text }) => text === told.tokens!.refresh_token)
  same(earlier, answers.map(({ refresh }) => echoed && refresh === expected.refresh))
  answers.push(expected)
}

function same (told: unknown[], expected: unknown[]): void {
  if (JSON.stringify(told) !== JSON.stringify(expected)) { throw new Error(`the plugin said ${JSON.stringify(told)}, the model ${JSON.stringify(expected)}`) }
}

type Act = (model: Model, real: Real, index: number) => Promise<void>

/** A command that takes one of the tokens given so far, the newest more often. */
const withToken = (name: string, act: Act): fc.Arbitrary<Command> =>
  fc
    .oneof(fc.constant(0), fc.nat(2), fc.nat(9))
    .map((back) => ({
      check: () => true,
      run: async (model, real) => act(model, real, Math.max(0, model.answers.length - 1 - back)),
      toString: () => `${name} with the token ${back} before the newest`,
    }))

type Wait = (model: Model, ms: number) => Promise<void>

const withTime = (name: string, times: fc.Arbitrary<number>, wait: Wait): fc.Arbitrary<Command> => times.map((ms) => ({
  check: () => true,
  run: async (model) => wait(model, ms),
  toString: () => `${name} ${ms} ms`,
}))

const refreshes: Act = async (model, real, index) => {
  const told = await real.refresh(real.tokens[index]!)
  const expected = model.life.refresh(model.answers[index]!.refresh, new Date(), branchOf(told))
  if (typeof expected === 'string') same([told.statusCode, told.code], [401, expected])
  else agree(told, expected, index, model, real)
}

const uses: Act = async (model, real, index) => {
  const told = await real.use(real.tokens[index]!)
  same([told.statusCode], [model.life.admits(model.answers[index]!.access, new Date()) ? 200 : 401])
}

const proves = (how: 'changePassword' | 'reauthenticate'): Act => async (model, real, index) => {
  const told = await real[how](real.tokens[index]!)
  const expected = model.life.prove(model.answers[index]!.access, new Date(), branchOf(told), how === 'changePassword')
  if (expected) agree(told, expected, undefined, model, real)
  else same([told.statusCode], [401])
}

const logsOut: Act = async (model, real, index) => {
  same([(await real.logout(real.tokens[index]!)).statusCode], [204])
  model.life.end()
}

const endsAll: Act = async (model, real, index) => {
  const admits = model.life.admits(model.answers[index]!.access, new Date())
  same([(await real.everywhere(real.tokens[index]!)).statusCode], [admits ? 204 : 401])
  if (admits) model.life.endAll()
}

/** Longer than confirmations wait to be written. */
async function time (model: Model, ms: number): Promise<void> {
  await pass(ms)
  model.life.settle()
}

const forgets: fc.Arbitrary<Command> = fc.constant({
  check: () => true,
  async run (model, real) {
    await real.forget()
    model.life.forget()
  },
  toString: () => 'the database loses the last refresh',
})

/** An answer is taken for lost, after the window: what it brought is void now, and stays among the tokens to try. */
const skips: Act = async (model, real, index) => {
  await refreshes(model, real, index)
  await time(model, 31 * second)
  await refreshes(model, real, index)
}

/** A refresh arrives, its commit is lost, and the client comes with the proof. */
const showsProof: Act = async (model, real, index) => {
  await refreshes(model, real, index)
  await real.forget()
  model.life.forget()
  await refreshes(model, real, model.answers.length - 1)
}

/** Moments, the edge of a window, and some minutes. */
const pauses = fc.oneof(
  ...[
    [1001, 2000],
    [29 * second, 31 * second],
    [1001, 20 * minute],
  ].map(([min, max]) => fc.integer({ min: min!, max: max! }))
)

async function stepClock (model: Model, ms: number): Promise<void> {
  await time(model, 1001)
  mock.timers.setTime(Date.now() + ms)
}

const weighed: [weight: number, command: fc.Arbitrary<Command>][] = [
  [6, withToken('refresh', refreshes)],
  [6, withTime('wait', pauses, time)],
  [5, withToken('use', uses)],
  [3, withToken('lose the answer of a refresh', skips)],
  [2, withToken('prove a refresh', showsProof)],
  [1, withTime('sleep', fc.integer({ min: day, max: 29 * day }), time)],
  [1, withTime('step the clock by', fc.integer({ min: -90 * second, max: 90 * second }), stepClock)],
  [1, withToken('change the password', proves('changePassword'))],
  [1, withToken('give the password', proves('reauthenticate'))],
  [1, forgets],
  [1, fc.nat(3).chain((dice) => withToken(dice ? 'log out' : 'end all', dice ? logsOut : endsAll))],
]

/** Some of what one user can do, in any order. */
export const lifetimes = fc.commands(
  weighed.flatMap(([weight, command]) => Array.from({ length: weight }, () => command)),
  { maxCommands: 30, size: '+1' }
)
