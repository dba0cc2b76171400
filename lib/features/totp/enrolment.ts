import { createHash, randomBytes } from 'node:crypto'
import { ProofInvalid } from '../../one-time/errors.ts'
import type { Seal } from '../../secrets/seal.ts'
import type { Enroller } from '../factors/enrolling.ts'

/** How long there is between the seed and its first code. */
export const enrolmentSeconds = 600

/** RFC 4226 §4: 160 bits. */
const seedBytes = 20

/** What is to be confirmed by a code: a seed, and the app that was there before, whose place it takes. */
export interface Enrolment {
  seed: Buffer
  /** The hash of the app's row that was there, as `stateOf` gives it. */
  state: string
}

/** Seeds that are not stored until somebody confirms them: whoever has asked holds them, sealed. */
export interface Enrolments {
  /** A new seed, and the text by which it is confirmed: in the same session, or with the same ticket. */
  begin: (enroller: Enroller, state: string) => { enrolment: string, seed: Buffer }
  /** @throws {ProofInvalid} for a text that is over, of somebody else or of another session, or none of ours */
  open: (enroller: Enroller, text: string) => Enrolment
}

interface Written {
  seed: string
  state: string
  /** The session, or the ticket. */
  by: string
  /** Seconds since 1970. */
  exp: number
}

export function createEnrolments (seal: Seal, name: string): Enrolments {
  const placeOf = ({ user }: Enroller) => ({ purpose: 'totp-enrolment', table: `${name}_totp`, row: user.id })
  const now = () => Math.floor(Date.now() / 1000)

  return {
    begin (enroller, state) {
      const seed = randomBytes(seedBytes)
      const written: Written = {
        seed: seed.toString('base64url'), state, by: askerOf(enroller), exp: now() + enrolmentSeconds,
      }
      return { enrolment: seal.seal(JSON.stringify(written), placeOf(enroller)), seed }
    },

    open (enroller, text) {
      const { seed, state, by, exp } = read(() => seal.open(text, placeOf(enroller)).plain)
      if (by !== askerOf(enroller) || exp <= now()) throw new ProofInvalid()
      return { seed: Buffer.from(seed, 'base64url'), state }
    },
  }
}

/** What is there of an app: another text for each that is set up, and for none. */
export function stateOf (row: { sealed: string } | undefined): string {
  return createHash('sha256').update(row?.sealed ?? '').digest('base64url')
}

function askerOf (enroller: Enroller): string {
  return 'ticket' in enroller ? enroller.ticket.jti : enroller.claims.sid
}

/** The seal throws for all that these keys have not sealed for this place. */
function read (open: () => Buffer): Written {
  try {
    return JSON.parse(open().toString())
  } catch {
    throw new ProofInvalid()
  }
}
