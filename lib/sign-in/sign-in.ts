import type { EntityManager } from '@mikro-orm/core'
import type { TSchema } from '@sinclair/typebox'
import type { Database } from '../database/database.ts'
import type { ErrorClass } from '../http/answers.ts'
import type { Mailing } from '../mail/mail.ts'
import type { Beginning, SessionTransport } from '../sessions/births.ts'
import type { OwnData, SessionData } from '../sessions/data.ts'
import type { Session } from '../sessions/entity.ts'
import type { Note, Write } from '../sessions/revocation-log.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Level } from '../tokens/levels.ts'
import type { Tokens } from '../tokens/tokens.ts'
import type { StepUp } from '../sessions/reauthentication.ts'
import type { TokenTransport } from '../transport/transport.ts'
import { User } from '../users/entity.ts'
import type { Users } from '../users/users.ts'
import { CredentialsInvalid } from './errors.ts'
import { createTellOfDevice } from './new-device.ts'
import { createGranting, type Granting } from './grant.ts'
import type { SignInSettings } from './options.ts'
import { clientOf, type AnyRequest } from '../http/request.ts'
import type { Transport } from '../transport/options.ts'
import type { PublicFields } from '../users/public-user.ts'

/** What a client may choose about its session. */
export interface Wish {
  /** How its tokens travel. Default in cookies where the app has nothing else, or else in bodies. */
  transport?: Transport
  /** Whether cookies outlive the browser window. */
  remember?: boolean
}

/** How a session begins that a request asks for. */
export interface Beginnings {
  /**
   * The client and the transport of a session that this request begins.
   * @throws {CsrfFailed} where its tokens would go into cookies, and the request is not known to come from the own site
   */
  beginningOf: (request: AnyRequest, wish: Wish) => Beginning
  /**
   * The host's data and claims for a session of this user that is to begin; `given` replaces the data of the hook.
   * Called before anything is written, since it may fail.
   * @throws {InputInvalid | Unavailable}
   */
  givenByHost: (
    user: PublicFields, request?: AnyRequest, given?: SessionData | null
  ) => Promise<{ data: SessionData | null, claims: object }>
  /**
   * Ends the session whose cookies a request has brought that has begun another one in cookies (ASVS 5 7.2.4): the
   * browser has no other way back to it. It may be another user's, so it ends after the new one is stored, and not with
   * it.
   */
  endReplaced: (request: AnyRequest, transport: SessionTransport) => Promise<void>
}

/** What somebody has proved who is about to come in, and how they want to. */
export interface Attempt {
  /** How well that was proved. Undefined for one factor, and told by code that has proved it by itself. */
  acr?: Level | undefined
  /** By which methods. */
  amr: string[]
  transport: SessionTransport
  /** The session that is to go on, where none is to begin. */
  sessionId?: string
  /** The generation of the access token that was shown of it. */
  gen?: number
  /** Undefined where code asks for it. */
  request?: AnyRequest | undefined
  /** The transaction in which the session begins. */
  tx?: EntityManager
}

/** A say in who comes in. */
export interface SignInStep {
  /**
   * Asked of each who has proved who they are, in the transaction that begins their session, or before one goes on.
   * Gives the refusal of who has to go on with something else: what they have proved is used up.
   * @throws the refusal of who is not let in: then nothing is used up
   */
  judge: (user: User, attempt: Attempt) => void | Promise<Error | void>
  /** The refusals, as routes that sign in tell of them in the document. */
  Refusals?: ErrorClass[]
}

/** What somebody who is signed in may prove in place of the password, all that the account asks for at once. */
export interface StepUpProof {
  /** The member of a body that is the proof, and its schema. */
  field: string
  FieldSchema: TSchema
  Refusals: ErrorClass[]
  /**
   * Checks it, and gives the answer of what goes on with it.
   * @throws what is to be the answer, counted where it was wrong
   */
  check: <Result>(
    request: AnyRequest, proof: unknown, goOn: (stepUp: StepUp) => Promise<Result>
  ) => Promise<Result>
}

/** Whether a user can sign in by this, without a password. */
export type WayIn = (tx: EntityManager, userId: string) => Promise<boolean>

/** How users come in, by whatever proof, and the answers that they are given. */
export interface SignIn extends Granting, Beginnings {
  /** Asked in this order. Features add theirs when they are opened. */
  steps: SignInStep[]
  /** What may be proved in place of the password. Features add theirs when they are opened. */
  stepUps: StepUpProof[]
  /** The ways in beside a password. Features add theirs when they are opened. */
  waysIn: WayIn[]
  /** Whether anything is left by which a user signs in, who is locked: a password, or another way. */
  hasWayIn: (tx: EntityManager, user: Pick<User, 'id' | 'passwordHash'>) => Promise<boolean>
  /** What all steps refuse with. Complete once all features are open. */
  refusals: () => ErrorClass[]
  /**
   * Asks all steps about somebody whose session is to go on with what they have proved.
   * @throws what a step refuses with
   */
  judge: (user: User, attempt: Attempt) => Promise<void>
  /**
   * Stores a session, and asks no step: the first one of a user whom `admit` stores, who has nothing yet that one could
   * ask for, or one that an admin borrows of a user who is locked.
   */
  begin: <Answer>(
    tx: EntityManager, user: User, beginning: Beginning, issue: (session: Session) => Answer,
    admit?: () => Promise<void>
  ) => Promise<{ session: Session, answer: Answer }>
  /**
   * Starts a session of a user, who must still be as they were when the password was checked: at that epoch, and not
   * disabled. Where a step asks for more, what was proved is used up all the same.
   * @throws {CredentialsInvalid} when there is no such user any more
   * @throws {SessionsFull} when the user has as many sessions as are allowed, and none may end for it
   */
  signIn: <Answer>(
    user: Pick<User, 'id' | 'epoch'>, beginning: Beginning, issue: (session: Session) => Answer, spend?: Spend
  ) => Promise<Answer>
}

/**
 * Uses up what somebody signs in by, in the transaction that begins the session and has locked the user. Gives the user
 * as they are then: it may have raised their epoch.
 */
export type Spend = (tx: EntityManager, user: User, write: Write, note: Note) => Promise<User>

interface SignInParts {
  database: Database
  /** Undefined where there are no mails. */
  mail: Mailing | undefined
  tokens: Tokens
  users: Users
  sessions: Sessions
  transport: TokenTransport
  ownData: OwnData
}

export function createSignIn (parts: SignInParts, settings: SignInSettings): SignIn {
  const { database, mail, users: { lookUp, publicUsers }, sessions } = parts
  const tellOfDevice = mail?.tellsOf('newDevice') ? createTellOfDevice(database, mail, sessions) : undefined
  const granting = createGranting({ ...parts, publicUsers }, settings)
  const steps: SignInStep[] = []
  const waysIn: WayIn[] = []

  async function refusalOf (user: User, attempt: Attempt): Promise<Error | undefined> {
    for (const step of steps) {
      const refusal = await step.judge(user, attempt)
      if (refusal) return refusal
    }
  }

  const attemptOf = ({ amr = [], acr, transport, request }: Beginning, tx: EntityManager): Attempt =>
    ({ amr, acr, transport, request, tx })

  /** The only place that stores a session. */
  async function store<Answer> (
    tx: EntityManager, user: User, beginning: Beginning, issue: (session: Session) => Answer
  ): Promise<{ session: Session, answer: Answer }> {
    const session = sessions.begin(user, user.epoch, beginning)
    const answer = issue(session)
    await sessions.store(tx, session)
    return { session, answer }
  }

  const writeLogin = database.statement(({ query }) =>
    query(User).update({ lastLoginAt: 'now' }).where({ id: 'id', epoch: 'epoch', disabledAt: null }))
  /** False where the user is gone, disabled or signed out since they were checked. */
  const noteLogin = async (tx: EntityManager, { id, epoch }: Pick<User, 'id' | 'epoch'>) =>
    await writeLogin.run(tx, { id, epoch, now: new Date() }) === 1

  return {
    ...granting,
    ...createBeginnings(parts, granting, settings),
    steps,
    stepUps: [],
    waysIn,
    async hasWayIn (tx, { id, passwordHash }) {
      if (passwordHash !== '') return true
      for (const isOpenTo of waysIn) if (await isOpenTo(tx, id)) return true
      return false
    },
    refusals: () => steps.flatMap(({ Refusals = [] }) => Refusals),
    async judge (user, attempt) {
      const refusal = await refusalOf(user, attempt)
      if (refusal) throw refusal
    },

    async begin (tx, user, beginning, issue, admit) {
      await admit?.()
      return store(tx, user, beginning, issue)
    },

    async signIn (checked, beginning, issue, spend) {
      const { id, epoch } = checked
      const outcome = await sessions.revocationLog.record(async (tx, write, note) => {
        // Written first, so that logins of one user wait for each other here: each has to count the session of the
        // other. Whoever has to prove more has not signed in yet.
        if (!spend && !await noteLogin(tx, checked)) throw new CredentialsInvalid()
        const found = await (spend ? lookUp.locked(tx, id) : lookUp.byId(id, tx))
        const isOpen = found && found.epoch === epoch && !found.disabledAt && found.kind === 'person'
        if (!isOpen) throw new CredentialsInvalid()
        const user = spend ? await spend(tx, found, write, note) : found
        const refusal = await refusalOf(user, attemptOf(beginning, tx))
        if (refusal && !spend) throw refusal
        if (refusal) return { refusal }
        if (spend) await noteLogin(tx, user)
        await tellOfDevice?.(tx, user, beginning, note)
        await sessions.makeRoom(tx, write, note, user, beginning)
        const { session, answer } = await store(tx, user, beginning, issue)
        await note({ type: 'login', userId: id, sessionId: session.id, client: beginning })
        return { answer }
      })
      if ('refusal' in outcome) throw outcome.refusal
      return outcome.answer
    },
  }
}

function createBeginnings (
  { tokens, sessions, transport: { cookies, csrf }, ownData }: SignInParts,
  { customClaims }: Pick<Granting, 'customClaims'>,
  settings: SignInSettings
): Beginnings {
  const usual = settings.transport === 'cookie' ? 'cookie' : 'body'

  return {
    beginningOf (request, { transport = usual, remember = settings.cookies.persistent }) {
      if (transport === 'cookie') {
        csrf.requireOwnSite(request)
        cookies.warnOfLoss(request)
      }
      return { ...clientOf(request), request, transport: transportOf(transport, remember) }
    },

    async givenByHost (user, request, given) {
      const data = given === undefined ? await ownData.forNew?.(user, request) ?? null : given
      return { data, claims: await customClaims({ user, data }, request) }
    },

    async endReplaced (request, transport) {
      if (transport === 'body') return
      for (const kind of ['refresh', 'access'] as const) {
        const token = cookies.read(request, kind)
        if (token === undefined) continue
        const verified = unlessRefused(() => tokens.verifyEvenExpired(token, [kind]))
        if (verified) return sessions.replace(verified, clientOf(request))
      }
    },
  }
}

export function transportOf (transport: Transport, persistent: boolean): SessionTransport {
  if (transport === 'body') return 'body'
  return persistent ? 'cookie' : 'session-cookie'
}

/** The verified token, or undefined for one that is not ours: `verify` throws nothing but refusals. */
function unlessRefused<Token> (verify: () => Token): Token | undefined {
  try {
    return verify()
  } catch {}
}
