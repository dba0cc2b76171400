import type { TSchema } from '@sinclair/typebox'
import type { TokenSettings } from '../tokens/options.ts'
import type { RotationPolicy } from './rotation.ts'

/** What the settings say of sessions. */
export interface SessionSettings extends Pick<TokenSettings, 'access' | 'leewaySeconds'> {
  /** The name of the accounts, after which a channel for revocations is named. */
  name: string
  refresh: RotationPolicy & {
    /** How long a session may lie idle; each refresh renews it. */
    expiresInSeconds: number
    /** How long a login lasts at most, however often it is refreshed. */
    maxAgeSeconds: number
  }
  sessions: {
    /** How many sessions a user may have at once. */
    max: number
    /** What one login more does: it ends the session used longest ago, or is refused. */
    whenFull: 'end-oldest' | 'refuse'
    /** The shape of what the app keeps of a session. */
    data?: TSchema
  }
  revocation: {
    /** How often the log of revocations is looked at. */
    pollIntervalSeconds: number
    /** Who could not read the log for so long asks the database at every request. */
    maxStalenessSeconds: number
    /** The app's own bus: it is given a function to call when others have revoked something, and gives one that tells them. */
    wake?: ((onMessage: () => void) => (() => void) | void | Promise<(() => void) | void>) | undefined
  }
}
