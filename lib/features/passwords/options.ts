import { availableParallelism } from 'node:os'
import { Type } from '@sinclair/typebox'
import { Callable, DurationSchema, Group, Kept, OneOf, text } from '../../checks/kinds.ts'
import { settled, type Filled, type Loose } from '../../checks/slice.ts'
import { problemOfSecrets } from '../../secrets/weakness.ts'
import { RouteSchema } from '../routes.ts'
import { readPepper } from './pepper.ts'
import type { Owner } from './rule.ts'

/** Makes password hashes as PHC strings, `$name$…`, of at most 230 characters, and verifies them. */
export interface PasswordHasher {
  /** Makes a new hash, with a new salt each time. */
  hash: (password: string) => Promise<string>
  /** Whether the password is right. Return false for a damaged string too: if it throws, the answer is a 500. */
  verify: (hash: string, password: string) => Promise<boolean>
  /** True if a login should replace the hash, for example because its cost is too low. */
  needsRehash: (hash: string) => boolean
}

/** Verifies hashes that another system has made. */
export interface PasswordVerifier {
  /** True for a hash of this scheme whose cost is acceptable. */
  knows: (hash: string) => boolean
  /** Whether the password is right. Called with hashes that `knows` accepts, and the password as it was typed. */
  verify: (hash: string, password: string) => Promise<boolean>
  /** A hash of this scheme that belongs to nobody, with the cost of the imported ones. */
  decoy: string
}

/** Bytes, as text or not. */
export type PepperSecret = string | Buffer

/** The app's own rule for new passwords: returns `true`, or a text such as `'must not hold a year'`. */
export type CheckPassword = (password: string, user: Owner) => true | string | Promise<true | string>

const LengthSchema = (fallback: number, minimum: number, maximum: number, description: string) =>
  Type.Integer({ default: fallback, minimum, maximum, description })

export const options = {
  password: Group({
    minLength: LengthSchema(15, 8, 256,
      'Minimum length of a new password, in code points. NIST SP 800-63B-4 asks for 15 if nothing else protects ' +
      'the account. At least 8.'),
    maxLength: LengthSchema(256, 64, 1024, 'Maximum length of a new password, in code points.'),
    blocklist: Type.Boolean({
      default: true,
      description: 'Refuses common passwords, repetitions, and sequences of letters, digits or keys ([rules for ' +
        'passwords](password-rules.md)).',
    }),
    contextWords: Type.Array(Type.String({ minLength: 3, maxLength: 64 }), {
      default: [],
      description: "Words of your app that a new password must not be built on. The user's name and address are " +
        'always checked.',
    }),
    check: Callable<CheckPassword>('CheckPassword', {
      description: 'Your own rule, applied before `breached`: `(password, { username, email }) => true`, or ' +
        "a text such as `'must not hold a year'`. Anything else refuses it without a reason.",
    }),
    breached: Type.Optional(Type.Object({
      url: Type.String({
        ...text(isHttp, "be a URL such as 'https://api.pwnedpasswords.com/range/', without a name or a password"),
        default: 'https://api.pwnedpasswords.com/range/',
        description: 'The URL of the list; the 5 digits are appended.',
      }),
      timeout: DurationSchema('2s', { most: 60, description: 'The time limit for the list, up to a minute.' }),
      whenUnreachable: OneOf(['accept', 'refuse'], {
        default: 'accept',
        description: 'Whether a password is accepted, with a warning in the log, or refused with ' +
          '`ACCOUNTS_UNAVAILABLE` if the list does not answer.',
      }),
      minCount: LengthSchema(1, 1, Number.MAX_SAFE_INTEGER,
        'Refuses a password that was found in breaches at least this many times.'),
    }, {
      additionalProperties: false,
      usual: 'off',
      description: 'Checks new passwords against a list of breached ones, as the last rule; `{}` is enough. Only 5 ' +
        'digits of a hash leave the process.',
    })),
    argon2: Group({
      memoryCost: LengthSchema(19456, 1024, 4194304, 'Memory, in KiB.'),
      timeCost: LengthSchema(2, 1, 1000, 'The number of passes over the memory.'),
      parallelism: LengthSchema(1, 1, 128, 'The number of lanes, each a thread.'),
    }, {
      usual: "OWASP's",
      description: 'The cost of argon2id. If you raise it, each login upgrades the hash of ' +
      'its user.'
    }),
    concurrency: Type.Optional(Type.Integer({
      minimum: 1,
      usual: 'the number of cores, at most one less than the threads of libuv',
      description: 'How many passwords are hashed at once, by all accounts of a server together ([the ' +
        'line](passwords.md#the-line)).',
    })),
    waiting: LengthSchema(100, 0, 10000,
      'How many requests may wait for a hash. More requests get 503 `ACCOUNTS_BUSY`.'),
    hasher: Type.Optional(Kept<PasswordHasher>('PasswordHasher', {
      insteadOf: 'argon2',
      holds: (hasher) => hasFunctions(hasher, 'hash', 'verify', 'needsRehash'),
      must: 'have the functions hash, verify and needsRehash',
      usual: 'the package argon2',
      description: 'A hasher that replaces `password.argon2`: `{ hash, verify, needsRehash }` ' +
        '([how](passwords.md#another-hasher)).',
    })),
    legacy: Kept<PasswordVerifier[]>('PasswordVerifier[]', {
      holds: (given) => Array.isArray(given) && given.every(isVerifier),
      must: 'be a list of verifiers, each with the functions knows and verify and the text decoy',
      default: [],
      description: 'Verifiers for hashes of another system, which the next login replaces ' +
        '([import](passwords.md#hashes-from-elsewhere)). Use `legacy.bcrypt({ cost })`, `legacy.scrypt({ N, r, p ' +
        '})`, `legacy.pbkdf2({ iterations })`, or your own.',
    }),
    pepper: Type.Optional(Kept<PepperSecret | PepperSecret[]>('PepperSecret | PepperSecret[]', {
      description: 'A secret that is mixed into passwords before they are hashed, and that is not in the database. ' +
        'A string or Buffer of 32 random bytes or more, or a list: the first is used, all verify ' +
        '([rotation](passwords.md#pepper)).',
    })),
  }),
}

export const routes = {
  login: RouteSchema('/login', true, '`POST /login`.', { method: 'POST', issues: true }),
  reauthenticate: RouteSchema('/reauthenticate', true, '`POST /reauthenticate`.', { method: 'POST', issues: true }),
  password: RouteSchema('/password', true, '`PUT /password`.', { method: 'PUT', issues: true }),
}

/** What the settings say of passwords. */
export type PasswordSettings = ReturnType<typeof read>

/** What the settings say of the list of passwords known from breaches. */
export type BreachSettings = NonNullable<PasswordSettings['password']['breached']>

/**
 * How many hashes may run at once. One thread of libuv is left to DNS, files and WebCrypto, which would wait behind
 * them.
 */
function mostConcurrency (env: NodeJS.ProcessEnv): number {
  return Math.max(1, threads(env) - 1)
}

/** As many as there are cores: more would only take memory. */
export function usualConcurrency (env: NodeJS.ProcessEnv): number {
  return Math.min(availableParallelism(), mostConcurrency(env))
}

/** Comparisons with what is no number are false, so nothing is said twice. */
export function faults ({ password }: Loose<typeof options>, env: NodeJS.ProcessEnv): string[] {
  type Given = Partial<Filled<typeof options>['password']>
  const { minLength, maxLength, argon2, concurrency, pepper } = Object(password) as Given
  const most = mostConcurrency(env)
  const pepperProblem = pepper === undefined ? undefined : problemOfSecrets('password.pepper', 'pepper', pepper)

  return [
    ...minLength! > maxLength! ? ['password.minLength must not be more than password.maxLength'] : [],
    ...argon2 && argon2.memoryCost < 8 * argon2.parallelism
      ? ['password.argon2.memoryCost must be at least 8 times password.argon2.parallelism']
      : [],
    ...Number(concurrency) > most
      ? [`password.concurrency must be at most ${most}: of the ${threads(env)} threads of libuv (UV_THREADPOOL_SIZE) ` +
        'one is left to DNS, files and WebCrypto']
      : [],
    ...pepperProblem === undefined ? [] : [pepperProblem],
  ]
}

/** `peppers`: the first is mixed into new hashes, all verify. */
export function read (given: Filled<typeof options>, env: NodeJS.ProcessEnv) {
  const { pepper = [], concurrency = usualConcurrency(env), ...rest } = settled(options, given).password
  return { password: { ...rest, concurrency, peppers: [pepper].flat().map(readPepper) } }
}

/** With a name and a password in it, nobody could be asked. */
function isHttp (value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, username, password } = new URL(value)
  return ['http:', 'https:'].includes(protocol) && `${username}${password}` === ''
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
