import type { KeyDoor, KnownKey } from '../../guards/key-access.ts'
import type { Consistency } from '../../guards/options.ts'
import { joinDeadline } from '../../http/deadline.ts'
import type { AnyRequest } from '../../http/request.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import { refusalOf } from '../../sessions/revocations.ts'
import { TokenInvalid } from '../../tokens/errors.ts'
import { tokenIn } from '../../transport/locate.ts'
import type { AccountsUser } from '../../users/public-user.ts'
import type { Spine } from '../spine.ts'
import type { Limits } from '../throttle/limits.ts'
import type { KeyTexts } from './key-text.ts'
import type { KnownKeys } from './known-keys.ts'
import type { LastUses } from './last-uses.ts'
import type { OpenKeySettings } from './options.ts'

interface DoorParts {
  spine: Spine
  texts: KeyTexts
  known: KnownKeys
  uses: LastUses
  throttle: Pick<Limits, 'fail'>
}

/** Lets requests in by API keys, and tells others of them. */
export interface Door extends KeyDoor {
  /**
   * A key and its user, as the database has them now, for whoever asks about somebody else's: it is no use of the key.
   * @throws {TokenInvalid | TokenExpired | TokenRevoked | ClaimsRefused} a 401
   */
  inspect: (text: string, request: AnyRequest) => Promise<{ key: KnownKey, user: AccountsUser }>
}

export function createKeyDoor (
  { spine: { guards, sessions, settings, telemetry, users }, texts, known, uses, throttle }: DoorParts,
  { header: ownHeader }: Pick<OpenKeySettings, 'header'>
): Door {
  const { header, isRevoked, verifyClaims } = settings
  const { lookUp, publicUsers } = users
  const asksHost = Boolean(isRevoked ?? verifyClaims)

  /** Whoever guesses is held up, and never a key, whose id is no secret. */
  async function countWrong (error: unknown, text: string, request: AnyRequest): Promise<never> {
    telemetry.counters.keysRefused++
    if (error instanceof TokenInvalid && texts.idOf(text) !== undefined) await throttle.fail(request)
    throw error
  }

  function keyOf (text: string, consistency: Consistency, request: AnyRequest): Promise<KnownKey> {
    const reading = consistency === 'strict' ? known.read(text) : known.get(text)
    return reading.catch((error) => countWrong(error, text, request))
  }

  /** The user as the database has them now. What the log has said of the key stays true, whatever the row says. */
  async function strictUser ({ userId, inner }: KnownKey): Promise<AccountsUser> {
    const user = await lookUp.byId(userId)
    if (user === null || user.disabledAt) throw new TokenRevoked()
    const refusal = refusalOf(inner, sessions.revocations)
    if (refusal) throw refusal
    return publicUsers.of(user)
  }

  async function askHost ({ claims, inner }: KnownKey, request: AnyRequest): Promise<void> {
    await sessions.requireUnrevoked(inner)
    await guards.admission.askHost(claims as never, request)
  }

  return {
    locate (request) {
      const own = ownHeader === undefined ? undefined : request.headers[ownHeader]
      if (typeof own === 'string' && own !== '') return own
      const text = tokenIn(request.headers[header.name], header.scheme)
      return text !== undefined && texts.isMeant(text) ? text : undefined
    },

    async admit (text, consistency, request) {
      const remembered = consistency === 'strict' ? undefined : known.remembered(text)
      const key = remembered ?? await joinDeadline(() => keyOf(text, consistency, request))
      if (asksHost) await askHost(key, request)
      const user = consistency === 'strict'
        ? await joinDeadline(() => strictUser(key))
        : publicUsers.of(await sessions.use(key.inner))
      uses.note(key.id, request.ip)
      return { key, user }
    },

    async inspect (text, request) {
      const key = await known.read(text)
      if (asksHost) await askHost(key, request)
      return { key, user: await strictUser(key) }
    },

    expiryOf: async (text) => (await known.get(text)).inner.exp,
  }
}
