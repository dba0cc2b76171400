import { challengeSeconds } from './challenge.ts'
import type { PasskeyRow } from './rows.ts'
import { transportsOf } from './schema.ts'

/** What keys sign with, by the numbers of COSE (RFC 9053), the best first: Ed25519, ECDSA on P-256, RSA. */
export const algorithms = [-8, -7, -257]

/** Who is asked: the domain, and what authenticators may call it. */
interface Party {
  rpId: string
  rpName: string
}

/** Whose the new passkey is to be. */
interface Owner {
  handle: string
  /** What authenticators show. */
  name: string
}

const timeout = challengeSeconds * 1000

/** `PublicKeyCredentialCreationOptionsJSON` of WebAuthn L3 §5.1.9: for `parseCreationOptionsFromJSON`. */
export function creationOptions (
  { rpId, rpName }: Party, { handle, name }: Owner, challenge: string, known: PasskeyRow[]
) {
  return {
    rp: { id: rpId, name: rpName },
    user: { id: handle, name, displayName: name },
    challenge,
    pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
    timeout,
    excludeCredentials: known.map(descriptor),
    authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
    attestation: 'none',
    extensions: { credProps: true },
  }
}

/**
 * `PublicKeyCredentialRequestOptionsJSON` of WebAuthn L3 §5.1.9: for `parseRequestOptionsFromJSON`. Without `allowed`
 * passkeys the user chooses one, and nobody is told whose there are.
 */
export function requestOptions (
  { rpId }: Party, challenge: string, userVerification: 'required' | 'preferred', allowed?: PasskeyRow[]
) {
  return {
    challenge,
    timeout,
    rpId,
    userVerification,
    ...allowed && { allowCredentials: allowed.map(descriptor) },
  }
}

function descriptor (passkey: PasskeyRow) {
  const transports = transportsOf(passkey)
  return { type: 'public-key', id: passkey.credentialId, ...transports.length > 0 && { transports } }
}
