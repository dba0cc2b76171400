import type { AccountEvent } from '../../events/events.ts'
import type { Purpose } from '../../one-time/purposes.ts'

/** What is told of proofs by mail. */
export interface ProofEvents {
  /** A link or a code of a mail was not good. The reason is what it was shown for. */
  'proof-failed': AccountEvent<Purpose>
}
