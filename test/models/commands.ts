import { mock } from 'node:test'
import fc from 'fast-check'
import { decode } from '../build.ts'
import { day, minute, second } from './life.ts'
import { pass, type createUser, type Told } from './plugin.ts'
import type { coalesced } from './schemes/coalesced.ts'
import type { Answer, Refusal } from './schemes/scheme.ts'

const codes: Record<Refusal, string> = {
  INVALID: 'ACCOUNTS_TOKEN_INVALID',
  EXPIRED: 'ACCOUNTS_TOKEN_EXPIRED',
  REVOKED: 'ACCOUNTS_TOKEN_REVOKED',
  REUSED: 'ACCOUNTS_REFRESH_REUSED',
  UNAVAILABLE: 'ACCOUNTS_UNAVAILABLE',
}

type Scheme = ReturnType<typeof coalesced>

/** The model of a user's session, and what it was answered with so far. */
export interface Model {
  scheme: Scheme
  answers: Scheme['first'][]
}

type Real = Awaited<ReturnType<typeof createUser>>
export type Command = fc.AsyncCommand<Model, Real>

const clock = () => Date.now()

function finish<Result> (work: Generator<undefined, Result>): Result {
  const step = work.next()
  return step.done ? step.value : finish(work)
}

/** Both give tokens of the same generation with the same times, and the real ones are the same text where nothing moved. */
function agree (told: Told, expected: Answer | Refusal, { answers }: Model, { tokens }: Real): void {
  if (typeof expected === 'string') return same([told.statusCode, told.code], [401, codes[expected]])
  const answer = expected as Scheme['first']
  answers.push(answer)
  const [refresh, access] = [decode(told.tokens!.refresh_token).payload, decode(told.tokens!.access_token).payload]
  same([refresh.gen, refresh.ver, refresh.iat, refresh.exp], [answer.refresh.gen, answer.refresh.ver, answer.refresh.iat, answer.refresh.exp])
  same([access.gen, access.ver, access.iat, access.exp], [answer.access.gen, answer.access.ver, answer.access.iat, answer.access.exp])
  const equalTexts = tokens.map(({ refresh_token: text }) => text === told.tokens!.refresh_token)
  same(equalTexts, answers.map((earlier) => JSON.stringify(earlier.refresh) === JSON.stringify(answer.refresh)))
}

function same (told: unknown[], expected: unknown[]): void {
  if (JSON.stringify(told) !== JSON.stringify(expected)) throw new Error(`the plugin said ${told.join(' ')}, the model ${expected.join(' ')}`)
}

type Act = (model: Model, real: Real, index: number) => Promise<void>

/** A command that takes one of the tokens given so far, the newest more often. */
const withToken = (name: string, act: Act): fc.Arbitrary<Command> => fc.oneof(fc.constant(0), fc.nat(2), fc.nat(9)).map((back) => ({
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

const refreshes: Act = async (model, real, index) =>
  agree(await real.refresh(real.tokens[index]!), finish(model.scheme.refresh(0, model.answers[index]!.refresh, clock)), model, real)

const uses: Act = async (model, real, index) => {
  const told = await real.use(real.tokens[index]!)
  same([told.statusCode], [model.scheme.admits(0, model.answers[index]!.access, clock) ? 200 : 401])
}

const changesPassword: Act = async (model, real, index) => {
  const told = await real.changePassword(real.tokens[index]!)
  const expected = model.scheme.changePassword(0, model.answers[index]!.access, clock)
  if (expected) agree(told, expected, model, real)
  else same([told.statusCode], [401])
}

const logsOut: Act = async (model, real, index) => {
  // A token from more than a minute ahead is not one of ours, not even here.
  const isReadable = model.answers[index]!.refresh.iat <= clock() / 1000 + 60
  same([(await real.logout(real.tokens[index]!)).statusCode], [isReadable ? 204 : 401])
  if (isReadable) model.scheme.end('logout', clock())
}

const endsAll: Act = async (model, real, index) => {
  const admits = model.scheme.admits(0, model.answers[index]!.access, clock)
  same([(await real.everywhere(real.tokens[index]!)).statusCode], [admits ? 204 : 401])
  if (admits) model.scheme.end('everywhere', clock())
}

/** Longer than confirmations wait to be written. */
async function time (model: Model, ms: number): Promise<void> {
  await pass(ms)
  finish(model.scheme.settle(0, clock))
}

const forgets: fc.Arbitrary<Command> = fc.constant({
  check: () => true,
  async run (model, real) {
    await real.forget()
    model.scheme.forget()
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
const proves: Act = async (model, real, index) => {
  await refreshes(model, real, index)
  await real.forget()
  model.scheme.forget()
  await refreshes(model, real, model.answers.length - 1)
}

/** Moments, the edge of a window, and some minutes. */
const pauses = fc.oneof(...[[1001, 2000], [29 * second, 31 * second], [1001, 20 * minute]].map(([min, max]) => fc.integer({ min: min!, max: max! })))

async function stepClock (model: Model, ms: number): Promise<void> {
  await time(model, 1001)
  mock.timers.setTime(clock() + ms)
}

const weighed: [weight: number, command: fc.Arbitrary<Command>][] = [
  [6, withToken('refresh', refreshes)],
  [6, withTime('wait', pauses, time)],
  [5, withToken('use', uses)],
  [3, withToken('lose the answer of a refresh', skips)],
  [2, withToken('prove a refresh', proves)],
  [1, withTime('sleep', fc.integer({ min: day, max: 29 * day }), time)],
  [1, withTime('step the clock by', fc.integer({ min: -90 * second, max: 90 * second }), stepClock)],
  [1, withToken('change the password', changesPassword)],
  [1, forgets],
  [1, fc.nat(3).chain((dice) => withToken(dice ? 'log out' : 'end all', dice ? logsOut : endsAll))],
]

/** Some of what one user can do, in any order. */
export const lifetimes = fc.commands(weighed.flatMap(([weight, command]) => Array.from({ length: weight }, () => command)), {
  maxCommands: 30, size: '+1',
})
