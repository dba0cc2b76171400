import type { AccountEvent } from '../../events/events.ts'
import type { Purpose } from '../../one-time/purposes.ts'

/** What is told of proofs by mail. */
export interface ProofEvents {
  /** A link or code of a mail was refused. The reason is its purpose. */
  'proof-failed': AccountEvent<Purpose>
}
