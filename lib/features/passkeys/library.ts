import { optionalPackage } from '../optional-package.ts'

const { begin, refuse } = optionalPackage('@simplewebauthn/server', 'passkeys')

/** What a verification says of a passkey, however it was used. */
interface DeviceInfo {
  credentialDeviceType: 'singleDevice' | 'multiDevice'
  credentialBackedUp: boolean
}

/** What verifies passkeys, as far as it is used: declarations name no package that an app need not have. */
export interface Library {
  verifyRegistrationResponse: (options: any) => Promise<{
    registrationInfo?: DeviceInfo & {
      credential: { id: string, publicKey: Uint8Array, counter: number }
      aaguid: string
    }
  }>
  verifyAuthenticationResponse: (options: any) => Promise<{
    verified: boolean
    authenticationInfo: DeviceInfo & { newCounter: number, userVerified: boolean }
  }>
  decodeAttestationObject: (attestationObject: any) => { get: (name: 'authData') => unknown }
  isoBase64URL: { toBuffer: (text: string) => Uint8Array, fromBuffer: (bytes: any) => string }
  isoCBOR: { encode: (value: any) => Uint8Array }
}

/**
 * Begins to load the package that verifies passkeys, which takes most of a second: nobody waits for it but who needs it
 * before it is there.
 * @throws {OptionsInvalid} where the package is not installed
 */
export function openLibrary (): Promise<Library> {
  return begin(load)
}

async function load (): Promise<Library> {
  const [{ verifyAuthenticationResponse, verifyRegistrationResponse }, helpers] = await Promise.all([
    import('@simplewebauthn/server').catch(refuse), import('@simplewebauthn/server/helpers').catch(refuse),
  ])
  const { decodeAttestationObject, isoBase64URL, isoCBOR } = helpers
  return { verifyAuthenticationResponse, verifyRegistrationResponse, decodeAttestationObject, isoBase64URL, isoCBOR }
}
