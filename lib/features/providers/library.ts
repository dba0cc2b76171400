import { optionalPackage } from '../optional-package.ts'

const { begin, refuse } = optionalPackage('openid-client', 'providers')

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
  return begin(() => import('openid-client').catch(refuse) as Promise<any>)
}
