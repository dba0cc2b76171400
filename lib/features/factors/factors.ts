import type { EntityManager } from '@mikro-orm/core'
import type { TOptional, TSchema, TString } from '@sinclair/typebox'
import type { ErrorClass } from '../../http/answers.ts'
import type { AnyRequest } from '../../http/request.ts'
import type { Note } from '../../sessions/revocation-log.ts'
import type { Spent } from '../../one-time/spent.ts'
import type { Proved } from '../../tokens/levels.ts'
import type { TicketClaims } from '../../tokens/ticket.ts'
import type { User } from '../../users/entity.ts'
import type { TakeBackAlso } from '../mail/taking-back.ts'
import type { Asked, RemoveFor } from './removing.ts'
import type { ChangeFactors } from './change.ts'
import type { Enrolling, FindHalfSignedIn, FindSignedIn } from './enrolling.ts'
import type { HalfDoneTickets } from './half-done.ts'
import type { TellOfFactors } from './storing.ts'

/** The factors by the words that answers have for them. */
export type FactorName = 'totp' | 'passkey' | 'recovery'

/** What has been proved, and is not used up yet. */
export interface Checked {
  /** What the second factor adds to `amr` (RFC 8176), and the level that both reach together. */
  proved: Proved
  /**
   * Uses it up, in the transaction that has locked the user: of many at once one alone succeeds.
   * @throws {FactorInvalid} where it is used up
   */
  spend: (tx: EntityManager, note: Note) => Promise<void>
}

/** A kind of second factor. Features that have one add it to `methods` when they are opened. */
export interface Method {
  name: FactorName
  /** The member of a body that holds the proof, and its schema. */
  field: string
  FieldSchema: TSchema
  /** What it refuses with beside `FactorInvalid`. */
  Refusals?: ErrorClass[]
  /** Whether wrong proofs count for the user, and not for the network alone: for what can be guessed. */
  isGuessable: boolean
  /** Whether it counts as a factor by itself: recovery codes go with the last one that does. */
  isFactor: boolean
  isSetUpFor: (em: EntityManager, userId: string) => Promise<boolean>
  /** Whether a first factor alone signs this user in no more because of it. By default wherever it is set up. */
  asks?: (em: EntityManager, userId: string) => Promise<boolean>
  /**
   * Checks a proof, outside of any transaction. What is wrong, used, of somebody else or not to be judged takes the
   * same time.
   * @throws {FactorInvalid} or one of `Refusals`
   */
  check: (proof: unknown, user: User, ticket: TicketClaims, request: AnyRequest) => Promise<Checked>
  /** What `GET /factors` shows of it. */
  shown: { name: string, Schema: TSchema, of: (em: EntityManager, userId: string) => Promise<unknown> }
  /** Takes it away from a user, who is locked. False where there was nothing. */
  remove: (tx: EntityManager, userId: string) => Promise<boolean>
  /** Takes away what of it was set up since then. False where there was nothing. */
  removeSince: (tx: EntityManager, userId: string, since: Date) => Promise<boolean>
  /** Of a first factor, which stays where the user turns second factors off: from then on it does not ask. */
  stopAsking?: (tx: EntityManager, userId: string) => Promise<void>
  /** Takes proofs again after too many wrong ones, where there is a limit: a user, locked, has proved another. */
  reopen?: (tx: EntityManager, userId: string) => Promise<void>
}

/** What features with a second factor use. */
export interface Factors {
  methods: Method[]
  tickets: HalfDoneTickets
  /** The field of a body that holds a ticket. */
  TicketSchema: TOptional<TString>
  /** Who sets up a factor: somebody signed in and strong, or with a ticket for that. */
  enrolling: Enrolling
  /** Who has sent a request that a guard lets in, or a ticket. */
  halfSignedIn: FindHalfSignedIn
  /** Who has sent a request that a guard has let in. */
  signedIn: FindSignedIn
  /** Uses up what is good once and has no row of its own. */
  spent: Spent
  /** The one transaction in which factors change. */
  change: ChangeFactors
  /** Tells of changes that are made elsewhere. */
  telling: TellOfFactors
  /** Takes a factor away from a user, by code. */
  removeFor: RemoveFor
  /** Takes factors away from a user whose address of before takes the account back. */
  takeBack: TakeBackAlso
  /** The factors that a user has: recovery codes last. */
  of: (em: EntityManager, userId: string) => Promise<Method[]>
  /** Takes proofs of all methods again, of a user, who is locked and has proved what cannot be guessed. */
  reopen: (tx: EntityManager, userId: string) => Promise<void>
  /** What the app has of them, by which tests and the command line find more. Set once it is open. */
  services?: object
  /** Makes new recovery codes in place of the old. Set where there are some. */
  regenerate?: Regenerate
}

/**
 * Makes new recovery codes of a user in place of the old, in a transaction of its own or of the host's.
 * @throws {NotFound} where there is no such user
 * @throws {FactorMissing} where the user has no factor that they could stand in for
 */
export type Regenerate = (userId: string, asked: Asked) => Promise<string[]>
