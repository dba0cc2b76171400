import type { AccountEvent } from '../events/events.ts'

/** What is told of those who sign in. */
export interface SignInEvents {
  /** Somebody signed in from a browser and a network that they had not used before. */
  'new-device': AccountEvent
}
