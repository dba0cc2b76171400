import type { TSchema } from '@sinclair/typebox'
import { askForLeave } from '../callback.ts'
import { InputInvalid } from '../errors.ts'
import type { AccountsTypes } from '../host/types.ts'
import type { AnyRequest } from '../http/request.ts'
import type { Input } from '../input.ts'
import { forCode } from '../users/field-schema.ts'
import { isStorable } from '../users/fields.ts'
import type { AccountsUser, PublicFields, PublicUsers } from '../users/public-user.ts'

/** What the app keeps of a session: as `AccountsTypes` says, or anything that JSON can say. */
export type SessionData = AccountsTypes extends { session: infer Data } ? Data : Record<string, unknown>

/** As JSON. It is read at each refresh, and may go into tokens. */
const mostBytes = 4096

export interface OwnData {
  /** Whether sessions have any: the option `sessions.data`. */
  isOn: boolean
  /**
   * What a new session of this user is to hold: what `hooks.onSession` gives, or nothing.
   * @throws {InputInvalid} where that is of another shape
   * @throws what the hook throws, if that has a status of 4xx
   */
  forNew: (user: PublicFields, request?: AnyRequest) => Promise<SessionData | null>
  /**
   * A copy with the defaults of the schema; null for nothing.
   * @throws {InputInvalid} `ACCOUNTS_INPUT_INVALID`, naming what is wrong
   */
  read: (given: unknown) => SessionData | null
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
    const data = readShape!(asJson(given))
    if (!isStorable(data)) throw new InputInvalid('data must not hold NUL, half a character or values nested too deeply')
    if (Buffer.byteLength(JSON.stringify(data)) > mostBytes) throw new InputInvalid(`data must have at most ${mostBytes} bytes as JSON`)
    return data as SessionData
  }

  return {
    isOn: schema !== undefined,
    forNew: async (user, request) => onSession ? read(await askForLeave(() => onSession(publicUsers.of(user), request))) : null,
    read,
  }
}

/** The value as JSON says it. */
function asJson (given: unknown): object {
  try {
    return JSON.parse(JSON.stringify(given))
  } catch {
    throw new InputInvalid('data must be an object that JSON can say')
  }
}
