import type { EntityManager } from '@mikro-orm/core'
import type { Database } from '../database/database.ts'
import { widestNetworkOf, type Client } from '../http/request.ts'
import { browserOf } from '../mail/browser.ts'
import { MailRow } from '../mail/entity.ts'
import { kindOfNotice } from '../mail/kinds.ts'
import type { Mailing } from '../mail/mail.ts'
import type { Beginning } from '../sessions/births.ts'
import type { Session } from '../sessions/entity.ts'
import type { Note } from '../sessions/revocation-log.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { User } from '../users/entity.ts'

/**
 * Tells a user by mail that somebody signed in from where they had not been before: a browser that shows no cookie of
 * theirs, of a family and a network that are in none of their sessions. Never of the first, and no more than once in 10
 * minutes. Sessions that code has begun without a request are from nowhere: none is told of, and none counts.
 */
export type TellOfDevice = (tx: EntityManager, user: User, beginning: Beginning, note: Note) => Promise<void>

/** A thief who comes again and again is told of once. */
const quietMs = 10 * 60_000

export function createTellOfDevice (
  { statement }: Database, { notify }: Pick<Mailing, 'notify'>, { origins }: Pick<Sessions, 'origins'>
): TellOfDevice {
  const toldOf = statement(({ query }) => query(MailRow).select('id')
    .where({ kind: 'kind', userId: 'userId', createdAt: { $gt: 'since' } }).limit(1))

  return async (tx, user, { isKnownDevice = false, ip, userAgent, ...beginning }, note) => {
    if (isKnownDevice || (ip === undefined && userAgent === undefined)) return
    const before = await origins(tx, user.id)
    const origin = originOf({ ip, userAgent })
    if (before.length === 0 || before.some((session) => originOf(session) === origin)) return

    const since = new Date(Date.now() - quietMs)
    const told = await toldOf.all(tx, { kind: kindOfNotice.newDevice, userId: user.id, since })
    if (told.length > 0) return
    const client = { ip, userAgent, languages: beginning.languages }
    await note({ type: 'new-device', userId: user.id, client })
    await notify(tx, 'newDevice', user, { client })
  }
}

/** The family of the browser and its network: a /24, or what one customer may have of IPv6. */
function originOf ({ ip, userAgent }: Client | Pick<Session, 'ip' | 'userAgent'>): string {
  const network = widestNetworkOf(ip).replace(/^(\d+\.\d+\.\d+)\.\d+$/, '$1')
  return `${browserOf(userAgent)} ${network}`
}
