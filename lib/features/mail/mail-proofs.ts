import type { EntityManager } from '@mikro-orm/core'
import type { Happening } from '../../events/events.ts'
import { clientOf, type AnyReply, type AnyRequest } from '../../http/request.ts'
import type { MailKind, PageName } from '../../mail/kinds.ts'
import type { Mailing } from '../../mail/mail.ts'
import type { FindRecipient } from '../../mail/delivery.ts'
import type { Guessing } from '../../one-time/one-time.ts'
import { ProofInvalid } from '../../one-time/errors.ts'
import { lives, type Purpose } from '../../one-time/purposes.ts'
import type { OneTimeRow } from '../../one-time/rows.ts'
import type { Challenge, Proof } from '../../one-time/schema.ts'
import { challengeHash } from '../../one-time/secrets.ts'
import { identifierKey, readEmail } from '../../users/identifiers.ts'
import type { AccountsUser } from '../../users/public-user.ts'
import type { Spine } from '../spine.ts'
import type { Limits } from '../throttle/limits.ts'
import { createFindAsked, type AskedKind } from './asked-mail.ts'
import type { MailHooks } from './options.ts'
import { createReclaim, type Reclaim } from './reclaim.ts'
import { createChallenges, type Challenges } from './challenges.ts'
import type { ProofEvents } from './events.ts'

/** A mail that a request asks for. */
export interface Asking {
  kind: MailKind
  purpose: keyof typeof lives
  /** Of the body: that of an answer before. */
  challengeId: string | undefined
  /** Who is signed in. */
  user?: AccountsUser
  /** What somebody typed who is not signed in. Nobody is looked up before they are answered. */
  identifier?: string
  /** Where it goes, if not to the user's own address. */
  address?: string
  data?: Record<string, unknown>
}

/**
 * What a page of ours does when its button is pressed: what the feature's own route does with such a body, which gives
 * a challenge where another mail is on its way, and throws what the route throws.
 */
export type PageAct = (
  request: AnyRequest, reply: AnyReply, body: Proof & { new_password: string }
) => Promise<Challenge | void>

/** A mail that is asked for in a transaction of something else. */
export interface BegunMail {
  write: (tx: EntityManager) => Promise<void>
  /** The answer to who asked, once that is committed. */
  answer: (reply: AnyReply) => Challenge
}

/** How mails are asked for, and what is done with what they prove. */
export interface MailProofs {
  mailing: Mailing
  challenges: Challenges
  /**
   * Writes down that a mail is asked for, and gives the answer: the same bytes after the same work, whether there is
   * anybody to get it or not.
   * @throws {Throttled} by the network alone
   * @throws {InputInvalid} for a challenge of another form
   */
  ask: (request: AnyRequest, reply: AnyReply, asking: Asking) => Promise<Challenge>
  /**
   * Begins to ask for a mail, by a request that something else has counted.
   * @throws {InputInvalid} for a challenge of another form
   */
  begin: (request: AnyRequest, asking: Asking) => BegunMail
  /**
   * What a body proves, checked and not used yet.
   * @throws {ProofInvalid} one 400 for all that does not hold
   * @throws {Throttled} by the network alone
   */
  prove: (request: AnyRequest, purpose: Purpose, body: Proof) => Promise<OneTimeRow>
  /** Whether a proof is shown where it was asked for: with its challenge, in the body or as a cookie. */
  isAsker: (request: AnyRequest, body: Proof, proof: OneTimeRow) => boolean
  /**
   * Makes sure that a proof is shown where it was asked for: a link that somebody else opens signs nobody in.
   * @throws {ProofInvalid}
   */
  requireChallenge: (request: AnyRequest, body: Proof, proof: OneTimeRow) => void
  reclaim: Reclaim
  /** Filled in by each feature where its route is there: the page calls it with what somebody has typed. */
  pageActs: Partial<Record<PageName, PageAct>>
  /** Finds out who gets a kind of mail that was asked for. */
  findAsked: (asked: AskedKind) => FindRecipient
}

/** What links are of that may bring their challenge along. */
const bound: Purpose[] = ['login', 'register']

/** What a mail that nobody is signed in for waits before it is made, so that the asker's next request sees nothing. */
const delay = () => 50 + 450 * Math.random()

export function createMailProofs (spine: Spine, { hooks }: MailHooks, throttle: Limits): MailProofs {
  const { database, events, mail, settings, transport } = spine
  const mailing = mail!
  const { oneTimes, localeFor, write } = mailing
  const challenges = createChallenges(transport, settings)

  function guessingOf (request: AnyRequest, purpose: Purpose): Guessing {
    return {
      mayGuess: ({ addressKey, userId }) => throttle.guessCode(addressKey, request, userId ?? undefined),
      succeeded: ({ addressKey }) => throttle.forgetGuess(addressKey),
      async failed (row) {
        const happening: Happening<ProofEvents> = {
          type: 'proof-failed', reason: purpose, userId: row?.userId ?? undefined, client: clientOf(request),
        }
        await events.happen(happening)
        await throttle.fail(request)
      },
    }
  }

  function begin (request: AnyRequest, asking: Asking): BegunMail {
    const { kind, purpose, challengeId, user, identifier, address, data } = asking
    const { seconds } = lives[purpose]
    const challenge = challenges.of(challengeId)
    const client = clientOf(request)
    const job = {
      kind,
      challenge: challengeHash(challenge),
      client,
      locale: localeFor(user ?? null, client, request),
      seconds,
      ...user && { userId: user.id },
      ...address !== undefined && { address },
      ...data && { data },
      ...identifier !== undefined && { identifierKey: identifierKey(identifier), delayMs: delay() },
      ...identifier !== undefined && mailing.settings.unknown === 'tell' && addressIn(identifier),
    }
    return {
      write: async (tx) => { await write(tx, job) },
      answer: (reply) => challenges.answer(reply, challenge, seconds),
    }
  }

  function isAsker (request: AnyRequest, body: Proof, { challenge }: OneTimeRow): boolean {
    const shown = challenges.shown(request, body)
    return shown !== undefined && challengeHash(shown) === challenge
  }

  return {
    mailing,
    challenges,
    begin,

    async ask (request, reply, asking) {
      const begun = begin(request, asking)
      await throttle.askForMail(request)
      await database.transaction(begun.write)
      return begun.answer(reply)
    },

    prove: async (request, purpose, body) =>
      oneTimes.check(purpose, challenges.proofIn(request, body, bound.includes(purpose)), guessingOf(request, purpose)),

    isAsker,

    requireChallenge (request, body, proof) {
      if (!isAsker(request, body, proof)) throw new ProofInvalid()
    },

    pageActs: {},
    reclaim: createReclaim(oneTimes, spine.users.publicUsers, hooks.onReclaim),
    findAsked: createFindAsked({ spine, mailing, throttle }),
  }
}

/** The address that was typed, if it is one: it is kept where it is to be told that it has no account. */
function addressIn (identifier: string): { address?: string } {
  try {
    return { address: readEmail(identifier) }
  } catch {
    return {}
  }
}
