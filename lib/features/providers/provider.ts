/** What a provider says of somebody: claims of its ID token and user info, or its own description of them. */
export type ProviderClaims = Record<string, unknown>

/** Who somebody is at a provider, as its claims say. */
export interface ProviderPerson {
  /** The provider's own name for them, which never changes and is given to nobody else. */
  subject: string
  /** Undefined where the provider says none. */
  email?: string | undefined
  /** Whether the provider vouches for it that the address is theirs. */
  isVouched: boolean
}

/** Asks a provider something, with the access token of somebody: gives what its JSON says. */
export type AskProvider = (url: string, headers?: Record<string, string>) => Promise<unknown>

/** Says who a client is, in a request to the provider's endpoint of tokens. */
export type AuthenticateClient = (body: URLSearchParams, headers: Headers) => void

/** A provider by which users sign in: what `google()`, `oidc()` and the others of this entry make. */
export interface Provider {
  /** In paths and rows: letters, digits and hyphens. */
  readonly id: string
  /** What buttons call it. */
  readonly name: string
  readonly clientId: string
  readonly authenticate: AuthenticateClient
  /** Whose identities they are. Of a provider of OpenID the URL that its metadata are found by. */
  readonly issuer: string
  /** Of a provider without OpenID, whose metadata are not asked for. */
  readonly endpoints?: { readonly authorization: string, readonly token: string }
  readonly scope: string
  /** More parameters of the request for authorization. */
  readonly parameters: Readonly<Record<string, string>>
  /** Those that ask for a fresh proof of who it is, where it can be asked for. */
  readonly stepUpParameters: Readonly<Record<string, string>>
  /** Whether the request for tokens is bound to that for authorization (RFC 7636). */
  readonly usesPkce: boolean
  /** Whether the ID token holds the nonce of the request. False without OpenID. */
  readonly usesNonce: boolean
  /** Whether user info is asked for beside the ID token. */
  readonly asksUserInfo: boolean
  /** Without OpenID: asks the provider who it is. */
  readonly describe?: (ask: AskProvider, accessToken: string) => Promise<ProviderClaims>
  readonly personOf: (claims: ProviderClaims) => ProviderPerson
  /** Fields of a new user, by the claims. */
  readonly profile?: ((claims: ProviderClaims) => Record<string, unknown>) | undefined
  /** Whether the provider has proved two factors, by the claims. */
  readonly acr?: ((claims: ProviderClaims) => 'aal2' | undefined) | undefined
  /** Whether unknown identities open accounts. Undefined: where the route `register` is on. */
  readonly registers?: boolean | undefined
  readonly storeTokens: boolean
  readonly fetch?: typeof fetch | undefined
}

/** What every provider may be given. */
export interface ProviderOptions {
  /** The id of your app there. */
  clientId: string
  /** In paths and rows: letters, digits and hyphens. By default the provider's name in lower case. */
  id?: string
  /** What buttons call it. */
  name?: string
  /** In place of the usual scopes. */
  scope?: string[]
  /** More parameters of the request for authorization, such as `{ hd: 'example.com' }`. */
  parameters?: Record<string, string>
  /**
   * Fields of a new user by what the provider says: `user.fields`, and `username`. What does not fit is left out, and
   * asked for where it is needed.
   */
  profile?: (claims: ProviderClaims) => Record<string, unknown>
  /** `'aal2'` where the claims say that two factors were proved there. Default never: then it is one factor. */
  acr?: (claims: ProviderClaims) => 'aal2' | undefined
  /** Whether identities that nobody has open accounts. Default where the route `register` is on. */
  registers?: boolean
  /** Whether the provider's tokens are kept, sealed, for `app.accounts.identities.tokens`. Default false. */
  storeTokens?: boolean
  /** Asks the provider, in place of the global `fetch`: for proxies, and tests. */
  fetch?: typeof fetch
}
