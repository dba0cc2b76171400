import { hour, second, type Circumstances } from './life.ts'

/** One tab of a client that keeps to the rules, a good network, and nobody else. */
const calm: Circumstances = {
  tabs: 1,
  turns: 'none',
  hasty: false,
  losses: false,
  store: 'compared',
  slowestMs: 14 * second,
  clockMs: 0,
  crashes: false,
  forgets: false,
  thief: false,
  ends: false,
}

const tabs = { ...calm, tabs: 3, clockMs: second, crashes: true }
const retries = { ...tabs, losses: true, hasty: true }
const turns: Circumstances = { ...tabs, turns: 'all', losses: true }

/** Honest clients as `docs/sessions.md` asks for them: these are never logged out. */
export const promised = {
  'tabs at once, nothing lost': tabs,
  'answers lost, tabs take turns': turns,
  'answers lost, tabs at once': retries,
  'the same in cookies': { ...retries, turns: 'passwords', store: 'last' },
} satisfies Record<string, Circumstances>

/** Honest clients that ask for more. */
export const beyond = {
  'cookies, the password changed meanwhile': { ...retries, store: 'last' },
  'a minute under way': { ...retries, slowestMs: 60 * second },
  'clocks an hour off': { ...tabs, clockMs: hour },
  'commits lost': { ...turns, forgets: true },
  'each tab its own tokens': { ...tabs, store: 'own' },
} satisfies Record<string, Circumstances>

/** Somebody copies the tokens, and uses them when they like. */
export const theft: Circumstances = { ...calm, thief: true }

/** The same among tabs, losses and crashes, and the session is ended on purpose, too. */
export const crowd: Circumstances = { ...tabs, losses: true, thief: true, ends: true }

/** All that can happen, at once. */
export const chaos: Circumstances = { ...crowd, hasty: true, store: 'last', slowestMs: 60 * second, clockMs: hour, forgets: true }
