import { sourceOf, type AnyReply, type AnyRequest } from '../../http/request.ts'
import type { Beginning } from '../../sessions/births.ts'
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
  /** Once they are stored: the host is told, and the session ends whose cookies came along. */
  tell: (granted: Grant) => Promise<void>
  /** The answer once they are stored, 201: the host is told, and the session ends whose cookies came along. */
  answer: (reply: AnyReply, granted: Grant) => Promise<Grant['body']>
}

/**
 * Begins to open an account, by whatever the request has for it: a name, a proved address, an invitation.
 * @throws {CsrfFailed} where tokens would go into cookies, and the request is not known to come from the own site
 */
export type OpenAccount = (request: AnyRequest, transport: Transport | undefined) => Opening

/** Opens an account whose session begins like this, for a request that is known to come from who it is for. */
export type OpenAccountFor = (request: AnyRequest, beginning: Beginning) => Opening

export function createOpenAccount (
  spine: Spine, { remember }: Pick<Limits, 'remember'>
): { openAccount: OpenAccount, openFor: OpenAccountFor } {
  const { hooks, signIn } = spine
  const store = createStoreRegistration(spine)

  const openFor: OpenAccountFor = (request, beginning) => {
    async function tell (granted: Grant): Promise<void> {
      hooks.onRegistered?.(granted.body.user, sourceOf(request))
      await signIn.endReplaced(request, beginning.transport)
    }

    return {
      tell,

      givenByHost: (user) => signIn.givenByHost(user, request),

      store: (user, { data, claims }, beside, proved) => store(
        user,
        { ...beginning, data, amr: ['pwd'], ...proved },
        (session) => remember(signIn.grant(session, claims), session),
        beside
      ),

      async answer (reply, granted) {
        await tell(granted)
        reply.code(201)
        return deliver(reply, granted)
      },
    }
  }

  return {
    openFor,
    openAccount: (request, transport) =>
      openFor(request, signIn.beginningOf(request, transport ? { transport } : {})),
  }
}
