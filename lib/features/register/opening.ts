import { sourceOf, type AnyReply, type AnyRequest } from '../../http/request.ts'
import type { SessionData } from '../../sessions/data.ts'
import { deliver, type Grant } from '../../sign-in/grant.ts'
import type { Transport } from '../../transport/options.ts'
import type { Proved } from '../../tokens/levels.ts'
import type { Draft } from '../../users/draft.ts'
import type { Spine } from '../spine.ts'
import type { Limits } from '../throttle/limits.ts'
import { createStoreRegistration, type Beside } from './registering.ts'

/** What the host gives for a first session. */
interface GivenByHost { data: SessionData | null, claims: object }

/** An account that a request opens, with a first session. */
export interface Opening {
  /**
   * The host's data and claims for the first session. Called before anything is written, since it may fail.
   * @throws {InputInvalid | Unavailable}
   */
  givenByHost: (user: Draft) => Promise<GivenByHost>
  /**
   * Stores the user and the session, both or neither. `proved`: what it is proved by. Default a password.
   * @throws {UserExists} a 409, found by the database, so also in a race
   * @throws what is thrown by what is written beside them
   */
  store: (user: Draft, given: GivenByHost, beside: Beside, proved?: Proved) => Promise<Grant>
  /** The answer once they are stored, 201: the host is told, and the session ends whose cookies came along. */
  answer: (reply: AnyReply, granted: Grant) => Promise<Grant['body']>
}

/**
 * Begins to open an account, by whatever the request has for it: a name, a proved address, an invitation.
 * @throws {CsrfFailed} where tokens would go into cookies, and the request is not known to come from the own site
 */
export type OpenAccount = (request: AnyRequest, transport: Transport | undefined) => Opening

export function createOpenAccount (spine: Spine, { remember }: Pick<Limits, 'remember'>): OpenAccount {
  const { hooks, signIn } = spine
  const store = createStoreRegistration(spine)

  return (request, transport) => {
    const beginning = signIn.beginningOf(request, transport ? { transport } : {})
    return {
      givenByHost: (user) => signIn.givenByHost(user, request),

      store: (user, { data, claims }, beside, proved) => store(
        user,
        { ...beginning, data, amr: ['pwd'], ...proved },
        (session) => remember(signIn.grant(session, claims), session),
        beside
      ),

      async answer (reply, granted) {
        hooks.onRegistered?.(granted.body.user, sourceOf(request))
        await signIn.endReplaced(request, beginning.transport)
        reply.code(201)
        return deliver(reply, granted)
      },
    }
  }
}
