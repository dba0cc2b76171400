import type { AnyReply } from '../http/request.ts'
import type { Wording } from '../http/wording.ts'
import type { Signals } from '../sessions/signals.ts'
import type { KeyAccess, KeyClaims, KnownKey } from './key-access.ts'
import type { AuthenticationSettings } from './options.ts'
import { requireReply, type RequestAuth } from './request-auth.ts'

/** What let a request in by an API key. */
export interface KeyAuth extends
  Pick<RequestAuth, 'location' | 'fresh' | 'acr' | 'amr' | 'instance' | 'signal'> {
  claims: KeyClaims
  /** Empty: a key has none. */
  header: Record<string, never>
  sessionId?: undefined
  keyId: string
  scopes: readonly string[]
}

/** What lets requests in at a guard with `keys: true`: a token of a session, or an API key. */
export type AnyAuth = (RequestAuth & { keyId?: undefined }) | KeyAuth

/** Makes `request.auth` of an API key that let a request in. */
export type AuthOfKeys = new (key: KnownKey, text: string, reply?: AnyReply) => KeyAuth

const noHeader = Object.freeze({})

/** A class, so that the getter of `signal` is on its prototype: a closure would cost every request. */
export function createAuthOfKeys (
  signals: Signals, access: KeyAccess, wording: Wording, { name }: AuthenticationSettings
): AuthOfKeys {
  return class implements KeyAuth {
    claims: KeyClaims
    header = noHeader
    keyId: string
    scopes: readonly string[]
    location = 'header' as const
    fresh = false
    acr = undefined
    amr = undefined
    instance = name
    #key: KnownKey
    #text: string
    #reply: AnyReply | undefined
    #signal: AbortSignal | undefined

    constructor (key: KnownKey, text: string, reply?: AnyReply) {
      this.claims = key.claims
      this.keyId = key.id
      this.scopes = key.scopes
      this.#key = key
      this.#text = text
      this.#reply = reply
    }

    get signal (): AbortSignal {
      this.#signal ??= this.#watch(this.#reply)
      return this.#signal
    }

    #watch (reply: AnyReply | undefined): AbortSignal {
      requireReply(reply, 'guard(request, reply)')
      // A copy, since its expiry changes when the key is rotated.
      const admitted = {
        claims: { ...this.#key.inner }, isStateless: false, expiryOf: () => access.door!.expiryOf(this.#text),
      }
      return signals.of(admitted, reply.raw, (reason) => wording(reason, reply.request))
    }
  }
}
