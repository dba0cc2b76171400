import { isMissing } from '../../checks/missing-package.ts'
import { OptionsInvalid } from '../../http/errors.ts'

const name = '@simplewebauthn/server'

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
  requireInstalled()
  const library = load()
  // A broken package is told to who needs it, and does not end the process.
  library.catch(() => {})
  return library
}

async function load (): Promise<Library> {
  const [{ verifyAuthenticationResponse, verifyRegistrationResponse }, helpers] = await Promise.all([
    import('@simplewebauthn/server').catch(refuse), import('@simplewebauthn/server/helpers').catch(refuse),
  ])
  const { decodeAttestationObject, isoBase64URL, isoCBOR } = helpers
  return { verifyAuthenticationResponse, verifyRegistrationResponse, decodeAttestationObject, isoBase64URL, isoCBOR }
}

function requireInstalled (): void {
  try {
    // Not there in an app that was put into one file of CommonJS.
    import.meta.resolve?.(name)
  } catch (cause) {
    refuse(cause)
  }
}

/** Bundlers leave an import with a `catch` to the app that has the package. */
function refuse (cause: unknown): never {
  if (!isMissing(cause, name)) throw cause
  throw new OptionsInvalid(`passkeys needs the package ${name}: npm install ${name}`, { cause })
}
