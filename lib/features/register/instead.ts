import type { EntityManager } from '@mikro-orm/core'
import type { TSchema } from '@sinclair/typebox'
import type { Happening } from '../../events/events.ts'
import type { ErrorClass } from '../../http/answers.ts'
import type { Proved } from '../../tokens/levels.ts'
import type { User } from '../../users/entity.ts'

/** What somebody has proved who registers without a password. */
export interface Newcomer {
  /** The id of the user that it is for. */
  id: string
  /** What the user is stored with. */
  columns: Partial<User>
  proved: Proved
  /** What is told of it beside the registration. */
  happening: Pick<Happening, 'type' | 'reason'>
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
  /** Checks it, for the names of the body. */
  check: (
    given: Record<string, unknown>, names: { username?: string | undefined, email?: string | undefined }
  ) => Promise<Newcomer>
}
