import type { TSchema } from '@sinclair/typebox'
import { askForLeave } from '../host/ask.ts'
import { msLeft, withTimeout } from '../http/deadline.ts'
import { InputInvalid } from '../http/errors.ts'
import type { AccountsTypes } from '../host/types.ts'
import type { AnyRequest } from '../http/request.ts'
import type { Input } from '../http/input.ts'
import { isPlainObject } from '../checks/plain-object.ts'
import { forCode } from '../checks/field-schema.ts'
import { isStorable } from '../users/fields.ts'
import type { AccountsUser, PublicFields, PublicUsers } from '../users/public-user.ts'

/** The app's data of a session: the type in `AccountsTypes`, or any JSON. */
export type SessionData = AccountsTypes extends { session: infer Data } ? Data : Record<string, unknown>

/** The most bytes of the data as JSON: it is read at each refresh, and may go into tokens. */
const mostBytes = 4096

export interface OwnData {
  /** True where sessions have data: the option `sessions.data`. */
  isOn: boolean
  /**
   * The data of a new session of this user: what `hooks.onSession` gives. Absent where there is no such hook.
   * @throws {InputInvalid} where that does not fit the schema
   * @throws {Unavailable} where the hook takes longer than a request may
   * @throws what the hook throws, if that has a status of 4xx
   */
  forNew?: (user: PublicFields, request?: AnyRequest) => Promise<SessionData | null>
  /**
   * A copy with the defaults of the schema; null for nothing.
   * @throws {InputInvalid} `ACCOUNTS_INPUT_INVALID`, naming what is wrong
   */
  read: (given: unknown) => SessionData | null
  /**
   * A copy of the data of a session. Null where the option is not given (any more), and for what is no object, which
   * only somebody in the database can have written.
   */
  of: (session: { data: unknown }) => SessionData | null
}

/** What the settings say of the data of sessions. */
interface DataSettings {
  sessions: { data?: TSchema }
  hooks: { onSession?: (user: AccountsUser, request?: AnyRequest) => unknown }
}

export function createOwnData (
  input: Input, publicUsers: PublicUsers, { sessions: { data: schema }, hooks: { onSession } }: DataSettings
): OwnData {
  const readShape = schema && input.reader(forCode(schema), 'whole', 'data')

  function read (given: unknown): SessionData | null {
    if (given === undefined || given === null) return null
    const data = readShape!(given)
    if (!isStorable(data)) {
      throw new InputInvalid('data must not hold NUL, half a character or values nested too deeply')
    }
    if (Buffer.byteLength(JSON.stringify(data)) > mostBytes) {
      throw new InputInvalid(`data must have at most ${mostBytes} bytes as JSON`)
    }
    return data as SessionData
  }

  return {
    isOn: schema !== undefined,
    read,
    ...onSession && {
      async forNew (user: PublicFields, request?: AnyRequest) {
        const shownUser = structuredClone(publicUsers.of(user))
        return read(await withTimeout(msLeft(), askForLeave(() => onSession(shownUser, request))))
      },
    },
    of: ({ data }) => schema && isPlainObject(data) ? structuredClone(data) as SessionData : null,
  }
}
