import type { WrittenPage } from '../../mail/page-words.ts'
import type { Purpose } from '../../one-time/purposes.ts'

/** What a page asks of a person beside the press of its button, which scanners of mails do too. */
interface Row {
  /** What its links are good for. */
  purpose: Purpose
  /**
   * A new password; or the code of the mail, but for the browser that asked for it; or, of mails without a code, the
   * address that they went to.
   */
  asks: 'password' | 'code' | 'address'
}

export const rows: Record<WrittenPage, Row> = {
  reset: { purpose: 'reset', asks: 'password' },
  verify: { purpose: 'verify', asks: 'code' },
  disown: { purpose: 'verify', asks: 'address' },
  change: { purpose: 'change', asks: 'code' },
  revert: { purpose: 'revert', asks: 'address' },
  restore: { purpose: 'restore', asks: 'address' },
}
