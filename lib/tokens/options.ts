import type { Key } from './key.ts'

/** What the settings say of tokens. */
export interface TokenSettings {
  /** The first signs, if it can; all verify. */
  keys: Key[]
  /** More fields for the header of every token. */
  headerFields: Record<string, string | number | boolean>
  /** The `iss` claim, written and required. */
  issuer: string
  /** For the `aud` claim: the first is written, each is accepted. */
  audiences: string[]
  access: {
    /** Life of an access token. */
    expiresInSeconds: number
  }
  refresh: {
    /** Life of a refresh token. */
    expiresInSeconds: number
  }
  /** How much clocks may differ when `exp` and `nbf` of access tokens are looked at. */
  leewaySeconds: number
}
