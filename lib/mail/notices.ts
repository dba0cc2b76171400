import type { EntityManager } from '@mikro-orm/core'
import type { Database } from '../database/database.ts'
import type { AnyRequest, Client } from '../http/request.ts'
import type { OneTimes } from '../one-time/one-time.ts'
import { isGood } from '../one-time/rows.ts'
import type { User } from '../users/entity.ts'
import type { AccountsUser } from '../users/public-user.ts'
import type { Users } from '../users/users.ts'
import type { MailRow } from './entity.ts'
import { kindOfNotice, type NoticeName } from './kinds.ts'
import type { MailSettings } from './options.ts'
import type { NewMail } from './outbox.ts'
import { isReachable } from './reachable.ts'
import type { FindRecipient } from './delivery.ts'

/** More of a notice. */
export interface NoticeDetails {
  client?: Client | undefined
  /** Where it goes, if not to the address that the user has when it is sent. */
  address?: string
  /** What its link is of. */
  oneTimeId?: string
  data?: Record<string, unknown>
  /** For how long it makes sense to send it, in seconds. Default a day. */
  seconds?: number
}

/**
 * Tells a user of something that happened to the account, by a mail that is written in its transaction. Nothing where
 * the notice is switched off, and to an address that nobody has proved to be the user's only that the password is
 * another one.
 */
export type Notify = (tx: EntityManager, name: NoticeName, user: User, details?: NoticeDetails) => Promise<void>

/**
 * Writes a mail in a transaction, and has it sent once that is committed. Its language is usually the client's. Gives
 * its id.
 */
export type WriteMail = (tx: EntityManager, mail: Omit<NewMail, 'locale'> & { locale?: string }) => Promise<string>

/** The language of a mail for a user, or for whoever sends this request. */
export type LocaleFor = (user: AccountsUser | null, client: Client | undefined, request?: AnyRequest) => string

interface NoticeParts {
  write: WriteMail
  localeFor: LocaleFor
  database: Database
  users: Users
  oneTimes: OneTimes
}

const day = 86400

export function createNotices (
  { database, users: { lookUp, publicUsers }, oneTimes, write, localeFor }: NoticeParts, { notices }: MailSettings
): { notify: Notify, recipients: Record<string, FindRecipient> } {
  /** Goes to where the user is now, if it says nothing else. One whose link is void tells of what was undone since. */
  async function findRecipient ({ address, userId, oneTimeId }: MailRow) {
    const to = address ?? (await lookUp.byId(userId!))?.email
    if (!to) return
    if (oneTimeId === null) return { address: to }
    const proof = await database.run((em) => oneTimes.find(em, oneTimeId))
    return proof && isGood(proof) ? { address: to, proof } : undefined
  }

  return {
    async notify (tx, name, user, { client, seconds = day, ...details } = {}) {
      const isProved = user.emailVerifiedAt !== null || name === 'passwordChanged'
      if (!notices[name] || !(details.address ?? (isReachable(user) && isProved))) return
      const locale = localeFor(publicUsers.of(user), client)
      await write(tx, { kind: kindOfNotice[name], userId: user.id, client, locale, seconds, ...details })
    },
    recipients: Object.fromEntries(Object.values(kindOfNotice).map((kind) => [kind, findRecipient])),
  }
}
