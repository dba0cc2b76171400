import { Type, type Static } from '@sinclair/typebox'
import type { AccountEvent } from '../../events/events.ts'

const used = Type.Object({ left: Type.Integer() }, { additionalProperties: false })

/** The data of what is told of recovery codes. */
export const recoveryCodeData = { 'recovery-code-used': used }

/** What is told of recovery codes. */
export interface RecoveryCodeEvents {
  /** Somebody signed in by a recovery code: `data.left` says how many there are still. */
  'recovery-code-used': AccountEvent<never, Static<typeof used>>
}
