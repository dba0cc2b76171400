import { Type, type Static } from '@sinclair/typebox'
import type { AccountEvent } from '../../events/events.ts'

const borrowed = Type.Object({ text: Type.String({ maxLength: 200 }) }, { additionalProperties: false })

/** The data of what is told of borrowed sessions. */
export const impersonationData = { impersonate: borrowed }

/** What is told of borrowed sessions. */
export interface ImpersonationEvents {
  /** An admin, `actorId`, has borrowed a session of a user: `data.text` is the reason that they gave. */
  impersonate: AccountEvent<never, Static<typeof borrowed>>
}
