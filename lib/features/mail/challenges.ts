import { InputInvalid } from '../../http/errors.ts'
import type { AnyReply, AnyRequest } from '../../http/request.ts'
import type { Challenge, OneProof, Proof } from '../../one-time/schema.ts'
import { newChallenge } from '../../one-time/secrets.ts'
import { setCookies } from '../../transport/keep.ts'
import type { TokenTransport } from '../../transport/transport.ts'

/** Binds what is mailed to whoever asked for it (ASVS 5 6.6.2): they are given a value that no mail holds. */
export interface Challenges {
  /**
   * The challenge of a request: what it brings, so that the same link and code are sent again, or a new one.
   * @throws {InputInvalid} for what is none of ours
   */
  of: (given: string | undefined) => string
  /** The answer to who asked, whose browser keeps the challenge too where tokens travel in cookies. */
  answer: (reply: AnyReply, challenge: string, seconds: number) => Challenge
  /** The challenge that a request shows. */
  shown: (request: AnyRequest, body: Pick<Proof, 'challenge_id'>) => string | undefined
  /**
   * The proof in a body: either the token of a link, or a code with its challenge, which may come as a cookie.
   * With `isBound` a link needs its challenge too.
   * @throws {InputInvalid} for both, or neither
   */
  proofIn: (request: AnyRequest, body: Proof, isBound?: boolean) => OneProof
}

/** When it makes sense to ask again: no address gets more than one mail in a minute. */
const resendSeconds = 60

const form = /^[\w-]{22}$/

export function createChallenges (
  { cookies }: Pick<TokenTransport, 'cookies'>, { transport }: { transport: string }
): Challenges {
  const hasCookies = transport !== 'body'

  function shown (request: AnyRequest, { challenge_id: given }: Pick<Proof, 'challenge_id'>): string | undefined {
    return given ?? (hasCookies ? cookies.read(request, 'challenge') : undefined)
  }

  return {
    of (given = newChallenge()) {
      if (!form.test(given)) throw new InputInvalid('body/challenge_id must be that of an answer before')
      return given
    },

    answer (reply, challenge, seconds) {
      if (hasCookies) setCookies(reply, [cookies.keep('challenge', challenge, seconds)])
      return { challenge_id: challenge, expires_in: seconds, resend_in: resendSeconds }
    },

    shown,

    proofIn (request, { token, code, challenge_id: given }, isBound = false) {
      const challenge = shown(request, { challenge_id: given })
      const isLink = token !== undefined && code === undefined && (isBound || given === undefined)
      if (isLink) return { token }
      if (token !== undefined || code === undefined || challenge === undefined) {
        throw new InputInvalid('body must have either token, or code and challenge_id')
      }
      return { code, challenge_id: challenge }
    },
  }
}
