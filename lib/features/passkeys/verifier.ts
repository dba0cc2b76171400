import type { FastifyBaseLogger } from 'fastify'
import { isEqual } from '../../secrets/equal.ts'
import type { Challenges, Purpose } from './challenge.ts'
import { algorithms } from './ceremonies.ts'
import { PasskeyInvalid } from './errors.ts'
import { userHandle } from './handle.ts'
import type { Library } from './library.ts'
import type { PasskeyRow } from './rows.ts'
import type { Assertion, Attestation } from './schema.ts'

/** The challenge that was answered: it has to be used up. */
export interface Answered {
  challenge: string
  expiresAt: Date
}

/** What a new passkey says of itself. */
export interface Registered extends Answered, Pick<
  PasskeyRow, 'credentialId' | 'publicKey' | 'signCount' | 'synced' | 'backedUp' | 'transports' | 'aaguid'
> {}

/** What a passkey says of itself that was used. */
export interface Asserted extends Answered, Pick<PasskeyRow, 'signCount' | 'backedUp'> {
  isUserVerified: boolean
}

/** What a challenge was made for. */
export interface Expected {
  purpose: Purpose
  /** What it belongs to. */
  binding?: string | undefined
  /** Whether the authenticator has to have verified its user, by a PIN or a fingerprint. */
  verifiesUser: boolean
  /** Whether the authenticator has to say whose the passkey is, since nobody else does. */
  namesUser: boolean
}

/** Checks what authenticators sign. Whether it was used before, and whether the counter goes on, is not seen here. */
export interface Verifier {
  /** @throws {PasskeyInvalid} */
  register: (credential: Attestation, binding: string) => Promise<Registered>
  /** @throws {PasskeyInvalid} */
  assert: (credential: Assertion, passkey: PasskeyRow, expected: Expected) => Promise<Asserted>
}

interface VerifierParts {
  log: FastifyBaseLogger
  library: Promise<Library>
  challenges: Challenges
}

/** Who passkeys are for. `name` is that of the accounts. */
interface Party {
  name: string
  rpId: string
  origins: string[]
}

/** At most so many transports are kept, so that they fit the column. */
const transportForm = /^[a-z-]{1,24}$/
const mostTransports = 8

export function createVerifier ({ log, library, challenges }: VerifierParts, { name, rpId, origins }: Party): Verifier {
  const expectedParty = { expectedOrigin: origins, expectedRPID: rpId }

  /** Sentences of the library quote what was sent, the challenge too: for who is looking for a fault alone. */
  async function refusing<Result> (verify: (library: Library) => Promise<Result>): Promise<Result> {
    const loaded = await library
    try {
      return await verify(loaded)
    } catch (error) {
      log.debug(error, 'A passkey was refused')
      throw new PasskeyInvalid()
    }
  }

  /** A page of ours in a frame of somebody else's signs nobody in. */
  function requireOwnFrame (clientDataJSON: string): void {
    const { crossOrigin } = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString()) as { crossOrigin?: unknown }
    if (crossOrigin !== undefined && crossOrigin !== false) throw new Error('The page was in a frame of another site')
  }

  /** Notes the challenge that was answered, if it is the one that is expected. */
  function answering (purpose: Purpose, binding: string | undefined) {
    let answered: Answered | undefined
    return {
      expectedChallenge (challenge: string) {
        const expiresAt = challenges.check(challenge, purpose, binding)
        if (expiresAt) answered = { challenge, expiresAt }
        return expiresAt !== undefined
      },
      answered: () => answered!,
    }
  }

  return {
    register: (credential, binding) => refusing(async (library) => {
      const { expectedChallenge, answered } = answering('registration', binding)
      const { clientDataJSON, attestationObject, transports = [] } = credential.response
      requireOwnFrame(clientDataJSON)
      const response = { clientDataJSON, attestationObject: unattested(library, attestationObject) }
      const { registrationInfo } = await library.verifyRegistrationResponse({
        response: { ...credential, response } as never,
        ...expectedParty,
        expectedChallenge,
        requireUserVerification: true,
        supportedAlgorithmIDs: algorithms,
      })
      if (registrationInfo?.credential.id !== credential.id) throw new Error('The credential has another id')
      const { credential: key, aaguid, credentialDeviceType, credentialBackedUp: backedUp } = registrationInfo
      return {
        ...answered(),
        credentialId: key.id,
        publicKey: Buffer.from(key.publicKey).toString('base64url'),
        signCount: key.counter,
        synced: credentialDeviceType === 'multiDevice',
        backedUp,
        transports: transports.filter((each) => transportForm.test(each)).slice(0, mostTransports).join(' '),
        aaguid,
      }
    }),

    assert: (credential, passkey, { purpose, binding, verifiesUser, namesUser }) => refusing(async (library) => {
      const { expectedChallenge, answered } = answering(purpose, binding)
      const { clientDataJSON, userHandle: handle } = credential.response
      requireOwnFrame(clientDataJSON)
      if (handle ? !isEqual(handle, userHandle(name, passkey.userId)) : namesUser) {
        throw new Error('The passkey is of another user')
      }
      const { verified, authenticationInfo: info } = await library.verifyAuthenticationResponse({
        response: credential as never,
        ...expectedParty,
        expectedChallenge,
        requireUserVerification: verifiesUser,
        // The counter is judged where it is stored: of many at once one alone may go on.
        credential: { id: passkey.credentialId, publicKey: Buffer.from(passkey.publicKey, 'base64url'), counter: 0 },
      })
      if (!verified) throw new Error('The signature is wrong')
      const isSynced = info.credentialDeviceType === 'multiDevice'
      if (isSynced !== passkey.synced) throw new Error('It was another kind of passkey')
      return {
        ...answered(), signCount: info.newCounter, backedUp: info.credentialBackedUp, isUserVerified: info.userVerified,
      }
    }),
  }
}

/**
 * A new key without what its authenticator attests. Nobody has asked for that, and to judge it the library would read
 * certificates of whoever sends them, and fetch what these point to.
 */
function unattested ({ decodeAttestationObject, isoBase64URL, isoCBOR }: Library, attestationObject: string): string {
  const authData = decodeAttestationObject(isoBase64URL.toBuffer(attestationObject)).get('authData')
  return isoBase64URL.fromBuffer(isoCBOR.encode(new Map<string, any>([
    ['fmt', 'none'], ['attStmt', new Map()], ['authData', authData],
  ])))
}
