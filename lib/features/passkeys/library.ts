import { isMissing } from '../../checks/missing-package.ts'
import { OptionsInvalid } from '../../http/errors.ts'

const name = '@simplewebauthn/server'

/** What verifies passkeys. */
export type Library =
  Pick<typeof import('@simplewebauthn/server'), 'verifyAuthenticationResponse' | 'verifyRegistrationResponse'> &
  Pick<typeof import('@simplewebauthn/server/helpers'), 'decodeAttestationObject' | 'isoBase64URL' | 'isoCBOR'>

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
