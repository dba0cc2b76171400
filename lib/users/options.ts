import type { TSchema } from '@sinclair/typebox'

/** What the settings say of users. */
export interface UserSettings {
  user: {
    /** Fields of the app's own. */
    fields: Record<string, TSchema>
    /** Those that are shown. Default all. */
    public?: string[]
  }
}
