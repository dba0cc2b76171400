import type { Prune } from '../database/prune.ts'
import { pruneOfOneTime } from '../one-time/prune.ts'
import { MailRow } from './entity.ts'

/** For how long a mail is kept that was sent or given up, for those who look into it: none is to be sent for longer. */
const keptMs = 30 * 86_400_000

/** Mails of which nobody needs to know any more. */
const pruneOfMails: Prune<'mails'> = {
  name: 'mails',
  entity: MailRow,
  by: 'createdAt',
  isOld: (now) => ({ createdAt: { $lt: new Date(now - keptMs) }, expiresAt: { $lt: new Date(now) } }),
}

/** What is old of mails and of what they prove. */
export const prunesOfMail: Prune<'oneTime' | 'mails'>[] = [pruneOfOneTime, pruneOfMails]
