import type { EntityManager } from '@mikro-orm/core'
import type { TSchema } from '@sinclair/typebox'
import type { Happening } from '../../events/events.ts'
import type { ErrorClass } from '../../http/answers.ts'
import type { Proved } from '../../tokens/levels.ts'
import type { AnyRequest } from '../../http/request.ts'
import type { User } from '../../users/entity.ts'
import type { Profile } from '../../users/fields.ts'

/** What somebody has proved who registers without a password. */
export interface Newcomer {
  /** The id of the user that it is for. */
  id: string
  /** What the user is stored with. */
  columns: Partial<User>
  /** Names and fields that need not be in the body; what is there goes before. */
  brings?: { names: { username?: string | undefined, email?: string | undefined }, profile: Profile }
  proved: Proved
  /** Lines for `Set-Cookie`, once it is stored. */
  cookies?: string[]
  /** What is told of it beside the registration. */
  happening: Pick<Happening, 'type' | 'reason'>
  /** Uses it up, before the user is stored: of two who use it the second is told so, and not that the name is taken. */
  spend?: (tx: EntityManager) => Promise<void>
  /** Stores it, in the transaction that has stored the user, and gives what the answer holds beside the tokens. */
  store: (tx: EntityManager, userId: string) => Promise<object>
}

/** What somebody may register with in a password's place. Features that have such a thing add it when they open. */
export interface Instead {
  /** The members of the body that it is: all of them, and no password beside. */
  fields: Record<string, TSchema>
  /** Members that the answer may have. */
  AnswerFields: Record<string, TSchema>
  Refusals: ErrorClass[]
  /** Whether it may bring names and fields of the user along, so that the body need not have them. */
  bringsMore?: boolean
  /** What a request brings of it beside its body, which has neither a password nor this. */
  broughtBy?: (request: AnyRequest) => Record<string, unknown> | undefined
  /** Checks it, for the names of the body. */
  check: (
    given: Record<string, unknown>, names: { username?: string | undefined, email?: string | undefined }
  ) => Promise<Newcomer>
}
