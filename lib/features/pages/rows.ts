import type { WrittenPage } from '../../mail/page-words.ts'
import type { Purpose } from '../../one-time/purposes.ts'

/** What a page asks of a person beside the press of its button, which scanners of mails do too. */
interface Row {
  /** What its links are good for. */
  purposes: Purpose[]
  /**
   * A new password; or the code of the mail, but for the browser that asked for it; or, of mails without a code, the
   * address that they went to.
   */
  asks: 'password' | 'code' | 'address'
}

export const rows: Record<WrittenPage, Row> = {
  reset: { purposes: ['reset'], asks: 'password' },
  verify: { purposes: ['verify'], asks: 'code' },
  disown: { purposes: ['verify', 'invite'], asks: 'address' },
  change: { purposes: ['change'], asks: 'code' },
  revert: { purposes: ['revert'], asks: 'address' },
  restore: { purposes: ['restore'], asks: 'address' },
}
