import { createHash, randomBytes } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import { loopback } from '../../checks/loopback.ts'
import { isEqual } from '../../secrets/equal.ts'
import { isOurs } from '../../http/our-error.ts'
import { boundedFetch } from './bounded-fetch.ts'
import { FlowInvalid, ProviderDenied, ProviderFailed } from './errors.ts'
import type { ProviderCounters } from './events.ts'
import type { Configuration, Library, TokenAnswer } from './library.ts'
import type { Provider, ProviderClaims } from './provider.ts'

/** What a request for authorization is bound by. */
export interface Asked {
  verifier: string
  nonce: string
  /** Whether a fresh proof is asked for. */
  isStepUp: boolean
}

/** The tokens of a provider. */
export interface ProviderTokens {
  accessToken: string
  refreshToken?: string | undefined
  /** In ms since 1970. Undefined where the provider does not say. */
  expiresAt?: number | undefined
  /** With spaces between them. */
  scope?: string | undefined
}

/** What a provider has said, once it is proved. */
export interface ProviderAnswer {
  claims: ProviderClaims
  tokens: ProviderTokens
}

/** One provider, as it is asked. */
export interface ProviderClient {
  provider: Provider
  /**
   * The URL that a browser goes to.
   * @throws {ProviderFailed}
   */
  authorizationUrl: (asked: Asked & { state: string, redirectUri: string }) => Promise<URL>
  /**
   * Checks what came back by itself: whose it is (`iss`, RFC 9207), and that it is no refusal. Gives its code.
   * @throws {FlowInvalid} for the answer of another provider, and for one without a code
   * @throws {ProviderDenied} where somebody said no
   * @throws {ProviderFailed}
   */
  codeIn: (parameters: Record<string, string>) => Promise<string>
  /**
   * What the provider says of who has come back with this code.
   * @throws {ProviderFailed}
   */
  redeem: (code: string, asked: Asked & { redirectUri: string }) => Promise<ProviderAnswer>
  /** Counts and logs an answer that proves nothing, and gives the refusal. `reason` says why, and nothing of it. */
  failed: (reason: Record<string, unknown>) => Error
  /**
   * New tokens in place of those that are over.
   * @throws {ProviderFailed}
   */
  refresh: (refreshToken: string) => Promise<ProviderTokens>
}

interface ClientParts {
  library: Promise<Library>
  log: FastifyBaseLogger
  counters: ProviderCounters
}

/** How long metadata are kept. Keys are looked at anew sooner, by the library. */
const metadataMs = 60 * 60_000

/** Fresh is what was proved within 5 minutes, where a provider says when (`max_age`). */
const stepUpSeconds = 300

export function createProviderClient (provider: Provider, { library, log, counters }: ClientParts): ProviderClient {
  const ask = boundedFetch((...given) => (provider.fetch ?? fetch)(...given))
  const isOpenid = provider.endpoints === undefined
  let known: { config: Promise<Configuration>, until: number } | undefined

  /** What is wrong is logged without what was sent, which may be a code or a token. */
  async function refusing<Result> (work: (library: Library, config: Configuration) => Promise<Result>) {
    const loaded = await library
    try {
      return await work(loaded, await configure(loaded))
    } catch (error) {
      if (isOurs(error)) throw error
      const { code, name, error: said, status } = Object(error) as Record<string, unknown>
      throw failed({ reason: code ?? name, said, status })
    }
  }

  function failed (reason: Record<string, unknown>): Error {
    counters.providersFailed++
    log.warn({ provider: provider.id, ...reason }, 'A provider has proved nothing')
    return new ProviderFailed()
  }

  /** Metadata are asked for at first use, by one request at a time. */
  function configure (loaded: Library): Promise<Configuration> {
    const now = Date.now()
    if (known && known.until > now) return known.config
    const asking = { config: discover(loaded), until: now + metadataMs }
    asking.config.catch(() => { if (known === asking) known = undefined })
    known = asking
    return asking.config
  }

  async function discover (loaded: Library): Promise<Configuration> {
    const { issuer, clientId, endpoints, authenticate } = provider
    const isLocal = loopback.test(new URL(issuer).origin)
    const execute = [loaded.enableNonRepudiationChecks, ...isLocal ? [loaded.allowInsecureRequests] : []]
    const identify = (_server: unknown, _client: unknown, body: URLSearchParams, headers: Headers) =>
      authenticate(body, headers)
    if (!endpoints) {
      return loaded.discovery(new URL(issuer), clientId, undefined, identify, {
        [loaded.customFetch]: ask, timeout: 5, execute,
      })
    }
    const server = { issuer, authorization_endpoint: endpoints.authorization, token_endpoint: endpoints.token }
    const config = new loaded.Configuration(server, clientId, undefined, identify)
    Object.assign(config, { [loaded.customFetch]: ask, timeout: 5 })
    for (const extend of execute) extend(config)
    return config
  }

  async function claimsOf (
    loaded: Library, config: Configuration, answer: TokenAnswer
  ): Promise<ProviderClaims> {
    const { access_token: accessToken, id_token: idToken } = answer
    if (!isOpenid) return provider.describe!((url, headers) => describe(url, accessToken, headers), accessToken)

    const said = answer.claims()!
    requireHash(idToken!, said.at_hash, accessToken)
    const { userinfo_endpoint: endpoint } = config.serverMetadata()
    if (!provider.asksUserInfo || endpoint === undefined) return said
    // The ID token is signed, and user info is not.
    return { ...await loaded.fetchUserInfo(config, accessToken, said.sub as string), ...said }
  }

  async function describe (url: string, accessToken: string, headers: Record<string, string> = {}): Promise<unknown> {
    const given = { accept: 'application/json', 'user-agent': 'fastify-jwt-accounts', ...headers }
    const response = await ask(url, { headers: { ...given, authorization: `Bearer ${accessToken}` } })
    if (!response.ok) throw Object.assign(new Error('The provider has refused'), { status: response.status })
    return response.json()
  }

  return {
    provider,
    failed,

    authorizationUrl: ({ state, redirectUri, verifier, nonce, isStepUp }) => refusing(async (loaded, config) =>
      loaded.buildAuthorizationUrl(config, {
        ...provider.parameters,
        ...isStepUp && provider.stepUpParameters,
        redirect_uri: redirectUri,
        scope: provider.scope,
        state,
        ...provider.usesNonce && { nonce },
        ...provider.usesPkce && { code_challenge: challengeOf(verifier), code_challenge_method: 'S256' },
      })),

    codeIn: ({ iss, error, code }) => refusing(async (_, config) => {
      const { issuer, authorization_response_iss_parameter_supported: isPromised } = config.serverMetadata()
      if (iss === undefined ? isPromised : iss !== issuer) throw new FlowInvalid()
      if (error === 'access_denied' || error === 'user_cancelled_login' || error === 'user_cancelled_authorize') {
        throw new ProviderDenied()
      }
      if (error !== undefined) throw Object.assign(new Error('The provider has refused'), { code: 'REFUSED' })
      if (code === undefined) throw new FlowInvalid()
      return code
    }),

    redeem: (code, { redirectUri, verifier, nonce, isStepUp }) => refusing(async (loaded, config) => {
      const url = new URL(redirectUri)
      url.searchParams.set('code', code)
      const { authorization_response_iss_parameter_supported: isPromised, issuer } = config.serverMetadata()
      // It was compared when the answer came.
      if (isPromised) url.searchParams.set('iss', issuer)
      const answer = await loaded.authorizationCodeGrant(config, url, {
        ...provider.usesPkce && { pkceCodeVerifier: verifier },
        ...provider.usesNonce && { expectedNonce: nonce },
        ...isOpenid && { idTokenExpected: true },
        ...isStepUp && 'max_age' in provider.stepUpParameters && { maxAge: stepUpSeconds },
      })
      return { claims: await claimsOf(loaded, config, answer), tokens: tokensOf(answer) }
    }),

    refresh: (refreshToken) => refusing(async (loaded, config) =>
      ({ refreshToken, ...tokensOf(await loaded.refreshTokenGrant(config, refreshToken)) })),
  }
}

/** RFC 7636 §4.2. */
export function challengeOf (verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url')
}

/** A value that nobody guesses: of 256 bits, as PKCE has it. */
export function unguessable (): string {
  return randomBytes(32).toString('base64url')
}

function tokensOf (answer: TokenAnswer): ProviderTokens {
  const { refresh_token: refreshToken, expires_in: seconds, scope } = answer
  return {
    accessToken: answer.access_token,
    ...refreshToken !== undefined && { refreshToken },
    ...seconds !== undefined && { expiresAt: Date.now() + seconds * 1000 },
    ...scope !== undefined && { scope },
  }
}

/**
 * An access token of somebody else beside this ID token is found out where the ID token says which it goes with (OpenID
 * Connect Core §3.1.3.8). The library does not look at it.
 */
function requireHash (idToken: string, expected: unknown, accessToken: string): void {
  if (expected === undefined) return
  const { alg } = JSON.parse(Buffer.from(idToken.split('.')[0]!, 'base64url').toString()) as { alg: string }
  const bits = /^[RPE]S(\d{3})$/.exec(alg)?.[1] ?? '512'
  const digest = createHash(`sha${bits}`).update(accessToken).digest()
  const half = digest.subarray(0, digest.length / 2).toString('base64url')
  if (typeof expected !== 'string' || !isEqual(half, expected)) {
    throw Object.assign(new Error('The access token is of another ID token'), { code: 'AT_HASH' })
  }
}
