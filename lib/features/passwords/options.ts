import { availableParallelism } from 'node:os'
import { weakness } from '../../secrets/weakness.ts'
import type { Cost } from './cost.ts'
import { readPepper, type Pepper } from './pepper.ts'
import type { Owner } from './rule.ts'

/** Makes hashes as PHC strings, `$name$…`, of 230 characters at most, and checks what it has made. */
export interface PasswordHasher {
  /** A new hash each time. */
  hash: (password: string) => Promise<string>
  /** False also for a string that is damaged: who throws answers 500. */
  verify: (hash: string, password: string) => Promise<boolean>
  /** True for a hash that a login is to make anew, while the password is at hand. */
  needsRehash: (hash: string) => boolean
}

/** Checks hashes that another system has made. */
export interface PasswordVerifier {
  /** True for a hash of this scheme, at a cost that is worth paying. */
  knows: (hash: string) => boolean
  /** Is given hashes that it knows, and the password as it was typed. */
  verify: (hash: string, password: string) => Promise<boolean>
  /** A hash of this scheme, at the cost of the imported ones, that nobody's password has. */
  decoy: string
}

/** Bytes, as text or not. */
export type PepperSecret = string | Buffer

/** What the settings say of passwords. */
export interface PasswordSettings {
  password: {
    /** Fewest code points of a new password. */
    minLength: number
    /** Most code points of a new password. */
    maxLength: number
    /** Refuses common passwords, repetitions, and rows of letters, digits or keys. */
    blocklist: boolean
    /** Words of the app that a new password must not be built on. */
    contextWords: string[]
    /** A rule of the app's own, asked after ours: `true`, or what the password must. */
    check?: (password: string, user: Owner) => true | string | Promise<true | string>
    /** A list of passwords known from breaches, asked last of all. */
    breached?: BreachSettings
    /** Cost of argon2id. */
    argon2: Cost
    /** How many passwords are hashed at once. */
    concurrency: number
    /** How many may wait for that. */
    waiting: number
    /** Hashes in place of the package argon2. */
    hasher?: PasswordHasher
    /** Who verifies hashes that another system has made. */
    legacy: PasswordVerifier[]
    /** The first is mixed into new hashes, all verify. */
    peppers: Pepper[]
  }
}

/** What the settings say of the list of passwords known from breaches. */
export interface BreachSettings {
  /** Its address, up to the 5 digits of a hash that are asked for. */
  url: string
  /** How long the list may take. */
  timeoutSeconds: number
  /** What becomes of a password when the list cannot be asked. */
  whenUnreachable: 'accept' | 'refuse'
  /** Fewest times that a password must have been seen to be refused. */
  minCount: number
}

/** How many hashes may run at once. One thread of libuv is left to DNS, files and WebCrypto, which would wait behind them. */
function mostConcurrency (env: NodeJS.ProcessEnv): number {
  return Math.max(1, threads(env) - 1)
}

/** As many as there are cores: more would only take memory. */
export function usualConcurrency (env: NodeJS.ProcessEnv): number {
  return Math.min(availableParallelism(), mostConcurrency(env))
}

/** What the schema cannot know of `password`, whatever stands there. */
export function passwordProblems (given: unknown, env: NodeJS.ProcessEnv): string[] {
  const { argon2, concurrency, hasher, legacy, pepper } = Object(given) as Record<string, unknown>

  return [
    ...Number(concurrency) > mostConcurrency(env)
      ? [`password.concurrency must be at most ${mostConcurrency(env)}: of the ${threads(env)} threads of libuv (UV_THREADPOOL_SIZE) one is left to DNS, files and WebCrypto`]
      : [],
    ...hasher === undefined || hasFunctions(hasher, 'hash', 'verify', 'needsRehash') ? [] : ['password.hasher must have the functions hash, verify and needsRehash'],
    ...hasher !== undefined && argon2 !== undefined ? ['password.hasher and password.argon2 are two ways to one thing: give one of them'] : [],
    ...legacy === undefined || (Array.isArray(legacy) && legacy.every(isVerifier)) ? [] : ['password.legacy must be a list of verifiers, each with the functions knows and verify and the text decoy'],
    ...pepper === undefined ? [] : pepperProblems(pepper),
  ]
}

function pepperProblems (given: unknown): string[] {
  const peppers = [given].flat()
  if (peppers.length === 0) return ['password.pepper must hold a pepper']
  if (!peppers.every((pepper) => typeof pepper === 'string' || Buffer.isBuffer(pepper))) return ['password.pepper must be a string or a Buffer, or a list of these']

  const weak = peppers.map(weakness).find(Boolean)
  if (weak) return [`password.pepper ${weak}`]
  return new Set(peppers.map((pepper) => readPepper(pepper).id)).size < peppers.length ? ['password.pepper must hold different peppers'] : []
}

function isVerifier (given: unknown): boolean {
  return hasFunctions(given, 'knows', 'verify') && typeof (given as PasswordVerifier).decoy === 'string'
}

function hasFunctions (given: unknown, ...names: string[]): boolean {
  return names.every((name) => typeof Object(given)[name] === 'function')
}

/** As libuv reads it: 4 unless the environment says otherwise. */
function threads ({ UV_THREADPOOL_SIZE: size = '4' }: NodeJS.ProcessEnv): number {
  return Math.min(Math.max(Number.parseInt(size) || 1, 1), 1024)
}
