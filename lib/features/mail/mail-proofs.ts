import type { Happening } from '../../events/events.ts'
import { clientOf, type AnyReply, type AnyRequest, type Client } from '../../http/request.ts'
import type { PageName } from '../../mail/kinds.ts'
import type { Mailing } from '../../mail/mail.ts'
import type { FindRecipient } from '../../mail/delivery.ts'
import type { Guessing } from '../../one-time/one-time.ts'
import { ProofInvalid } from '../../one-time/errors.ts'
import type { Purpose } from '../../one-time/purposes.ts'
import type { OneTimeRow } from '../../one-time/rows.ts'
import type { Challenge, Proof } from '../../one-time/schema.ts'
import { challengeHash } from '../../one-time/secrets.ts'
import type { Spine } from '../spine.ts'
import type { Limits } from '../throttle/limits.ts'
import type { CodeGuess } from '../throttle/mail-limits.ts'
import { createFindAsked, type AskedKind } from './asked-mail.ts'
import { createBeginMail, type Asking, type BeginMail } from './asking.ts'
import type { MailHooks } from './options.ts'
import { createReclaim, type Reclaim, type ReclaimAlso } from './reclaim.ts'
import type { TakeBackAlso } from './taking-back.ts'
import { createChallenges, type Challenges } from './challenges.ts'
import type { ProofEvents } from './events.ts'
import { createMayGo, type MayGo } from './turns.ts'

/**
 * What a page of ours does when its button is pressed: what the feature's own route does with such a body, which gives
 * a challenge where another mail is on its way, and throws what the route throws.
 */
export type PageAct = (
  request: AnyRequest, reply: AnyReply, body: Proof & { new_password: string }
) => Promise<Challenge | void>

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
  begin: BeginMail
  /**
   * What a body proves, checked and not used yet.
   * @throws {ProofInvalid} one 400 for all that does not hold
   * @throws {Throttled} by the network alone
   */
  prove: (request: AnyRequest, purpose: Purpose, body: Proof) => Promise<OneTimeRow>
  /**
   * What a link proves that may be of one of several purposes, checked and not used yet.
   * @throws {ProofInvalid} one 400 for all that does not hold
   * @throws {Throttled} by the network alone
   */
  proveLink: (request: AnyRequest, purposes: Purpose[], token: string) => Promise<OneTimeRow>
  /** Whether a proof is shown where it was asked for: with its challenge, in the body or as a cookie. */
  isAsker: (request: AnyRequest, body: Proof, proof: OneTimeRow) => boolean
  /**
   * Makes sure that a proof is shown where it was asked for: a link that somebody else opens signs nobody in.
   * @throws {ProofInvalid}
   */
  requireChallenge: (request: AnyRequest, body: Proof, proof: OneTimeRow) => void
  reclaim: Reclaim
  /** What goes beside where an account is reclaimed. */
  reclaimsAlso: ReclaimAlso[]
  /** What goes beside where the address of before takes an account back. */
  takesBackAlso: TakeBackAlso[]
  /** Filled in by each feature where its route is there: the page calls it with what somebody has typed. */
  pageActs: Partial<Record<PageName, PageAct>>
  /**
   * What is done for whoever got a mail by mistake and says so, by what it was to prove. Filled in by the features that
   * send such mails.
   */
  disownActs: Partial<Record<Purpose, (proof: OneTimeRow, client: Client) => Promise<void>>>
  /** Finds out who gets a kind of mail that was asked for. */
  findAsked: (asked: AskedKind) => FindRecipient
  mayGo: MayGo
}

/** What links are of that may bring their challenge along. */
const bound: Purpose[] = ['login', 'register']

export function createMailProofs (spine: Spine, { hooks }: MailHooks, throttle: Limits): MailProofs {
  const { database, events, mail, settings, transport } = spine
  const mailing = mail!
  const { oneTimes } = mailing
  const challenges = createChallenges(transport, settings)
  const begin = createBeginMail(mailing, challenges)
  const mayGo = createMayGo(spine, throttle)

  function guessingOf (request: AnyRequest, purpose: Purpose): Guessing {
    let guess: CodeGuess | undefined
    return {
      async mayGuess ({ addressKey }) {
        guess = await throttle.guessCode(addressKey)
        return guess.isJudged
      },
      succeeded: ({ addressKey }) => throttle.forgetGuess(addressKey),
      async failed (row) {
        const userId = row?.userId ?? undefined
        const happening: Happening<ProofEvents> = {
          type: 'proof-failed', reason: purpose, userId, client: clientOf(request),
        }
        await events.happen(happening)
        await guess?.tellOfLast?.(request, userId)
        await throttle.fail(request)
      },
    }
  }

  function isAsker (request: AnyRequest, body: Proof, { challenge }: OneTimeRow): boolean {
    const shown = challenges.shown(request, body)
    return shown !== undefined && challengeHash(shown) === challenge
  }

  const reclaimsAlso: ReclaimAlso[] = []

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

    async proveLink (request, purposes, token) {
      const proof = await oneTimes.peek(purposes, token)
      if (proof) return proof
      await guessingOf(request, purposes[0]!).failed()
      throw new ProofInvalid()
    },

    isAsker,

    requireChallenge (request, body, proof) {
      if (!isAsker(request, body, proof)) throw new ProofInvalid()
    },

    pageActs: {},
    disownActs: {},
    reclaim: createReclaim(oneTimes, spine.users.publicUsers, reclaimsAlso, hooks.onReclaim),
    reclaimsAlso,
    takesBackAlso: [],
    findAsked: createFindAsked({ spine, mailing, mayGo }),
    mayGo,
  }
}
