import type { TSchema } from '@sinclair/typebox'
import type { TokenSettings } from '../tokens/options.ts'

/** What a person may sign in with. */
export type Identifier = 'username' | 'email'

/** What the settings say of users. What is known of one is read again after the life of an access token. */
export interface UserSettings extends Pick<TokenSettings, 'access'> {
  /** What people sign in with. */
  identifiers: Identifier[]
  user: {
    /** Fields of the app's own. */
    fields: Record<string, TSchema>
    /** Those that are shown. Default all. */
    public?: string[]
  }
}
