import { isMissing } from '../../checks/missing-package.ts'
import { OptionsInvalid } from '../../http/errors.ts'

const name = 'openid-client'

/** What an endpoint of tokens has answered. */
export interface TokenAnswer {
  access_token: string
  id_token?: string
  refresh_token?: string
  expires_in?: number
  scope?: string
  claims: () => Record<string, unknown> | undefined
}

/** A provider as the library knows it. */
export interface Configuration {
  serverMetadata: () => {
    issuer: string
    userinfo_endpoint?: string
    authorization_response_iss_parameter_supported?: boolean
  }
  timeout?: number
}

/** What speaks OpenID, as far as it is used: declarations name no package that an app need not have. */
export interface Library {
  Configuration: new (server: any, clientId: string, metadata: any, authenticate: any) => Configuration
  customFetch: symbol
  allowInsecureRequests: (config: any) => void
  enableNonRepudiationChecks: (config: any) => void
  discovery: (
    server: URL, clientId: string, metadata: any, authenticate: any, options: any
  ) => Promise<Configuration>
  buildAuthorizationUrl: (config: any, parameters: Record<string, string>) => URL
  authorizationCodeGrant: (config: any, currentUrl: URL, checks: object) => Promise<TokenAnswer>
  refreshTokenGrant: (config: any, refreshToken: string) => Promise<TokenAnswer>
  fetchUserInfo: (config: any, accessToken: string, subject: string) => Promise<Record<string, unknown>>
}

/**
 * Begins to load the package that speaks OpenID: nobody waits for it but who needs it before it is there.
 * @throws {OptionsInvalid} where the package is not installed
 */
export function openLibrary (): Promise<Library> {
  requireInstalled()
  const library: Promise<Library> = import('openid-client').catch(refuse) as Promise<any>
  // A broken package is told to who needs it, and does not end the process.
  library.catch(() => {})
  return library
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
  throw new OptionsInvalid(`providers needs the package ${name}: npm install ${name}`, { cause })
}
