import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { OptionsInvalid } from '../../http/errors.ts'
import type { Provider, ProviderClaims } from './provider.ts'
import { oidc, type OidcOptions } from './ready/oidc.ts'

/** What a fake provider is given, beside what `oidc()` takes. */
export interface FakeProviderOptions extends Partial<Omit<OidcOptions, 'fetch'>> {
  /** Changes what it answers, to see that it is refused. */
  alter?: {
    /** Its metadata, of OpenID Connect Discovery 1.0. */
    metadata?: (metadata: Record<string, unknown>) => Record<string, unknown>
    /** The answer with tokens. `made` is what its ID token was made of. */
    tokens?: (answer: Record<string, unknown>, made: MadeIdToken) => Record<string, unknown>
    /** The answer about a person. */
    userInfo?: (claims: ProviderClaims) => ProviderClaims
    /** Any answer, as HTTP has it. */
    response?: (url: URL, response: Response) => Response | Promise<Response>
  }
}

/** What an ID token was made of, and how to make another one. */
export interface MadeIdToken {
  header: Record<string, unknown>
  claims: Record<string, unknown>
  /** By the key that the provider shows. */
  sign: (header: object, claims: object) => string
  publicKey: KeyObject
}

/** A provider of OpenID in this process, which asks nobody. */
export interface FakeProvider {
  /** For the option `providers`. */
  provider: Provider
  /** Who signs in from now on. `sub` is `'ada'` where it is not said, and the address is verified. */
  next: (claims: ProviderClaims) => void
  /** What it does with a browser that comes by this URL: gives the URL that it sends it back to, for `app.inject`. */
  approve: (authorizationUrl: string) => string
  /** The same for somebody who says no. */
  deny: (authorizationUrl: string) => string
  /** Whether it answers nothing. */
  isAway: boolean
  /** The requests that it has got, by their paths. */
  asked: string[]
}

interface Granted {
  claims: ProviderClaims
  nonce: string | null
  challenge: string | null
  redirectUri: string
}

/**
 * A provider of OpenID for tests, in this process and without a network: keys, codes, tokens and user info are real.
 * Its options are read at each request, so a test may change them meanwhile.
 * @throws {OptionsInvalid} where `NODE_ENV` is `'production'`
 */
export function fakeProvider (options: FakeProviderOptions = {}): FakeProvider {
  if (process.env.NODE_ENV === 'production') {
    throw new OptionsInvalid('fakeProvider is for tests, and NODE_ENV is production')
  }
  const { id = 'fake', clientId = 'fake-client', clientSecret = 'fake-secret' } = options
  const { issuer = `https://${id}.example` } = options
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const codes = new Map<string, Granted>()
  const people = new Map<string, ProviderClaims>()
  let claims: ProviderClaims = {}

  const random = () => randomBytes(16).toString('base64url')
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

  function signed (header: object, said: object): string {
    const input = `${part(header)}.${part(said)}`
    return `${input}.${sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      .toString('base64url')}`
  }

  function metadata () {
    const usual = {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      userinfo_endpoint: `${issuer}/userinfo`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    }
    return options.alter?.metadata?.(usual) ?? usual
  }

  function tokensOf (person: ProviderClaims, nonce: string | null) {
    const accessToken = random()
    people.set(accessToken, person)
    const now = Math.floor(Date.now() / 1000)
    const header = { alg: 'ES256', kid: 'fake' }
    const hash = createHash('sha256').update(accessToken).digest()
    const said = {
      ...person,
      iss: issuer,
      aud: clientId,
      iat: now,
      exp: now + 300,
      auth_time: now,
      at_hash: hash.subarray(0, 16).toString('base64url'),
      ...nonce !== null && { nonce },
    }
    const answer = {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: 3600,
      refresh_token: random(),
      id_token: signed(header, said),
    }
    return options.alter?.tokens?.(answer, { header, claims: said, sign: signed, publicKey }) ?? answer
  }

  function exchange (body: URLSearchParams, authorization: string | null): [status: number, answer: object] {
    const secret = Buffer.from(authorization?.replace(/^Basic /, '') ?? '', 'base64').toString()
    if (secret !== `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`) {
      return [401, { error: 'invalid_client' }]
    }
    if (body.get('grant_type') === 'refresh_token') return [200, tokensOf(claims, null)]

    const code = body.get('code') ?? ''
    const granted = codes.get(code)
    codes.delete(code)
    const challenge = createHash('sha256').update(body.get('code_verifier') ?? '').digest('base64url')
    const fits = granted?.challenge === challenge && granted.redirectUri === body.get('redirect_uri')
    return fits ? [200, tokensOf(granted.claims, granted.nonce)] : [400, { error: 'invalid_grant' }]
  }

  async function answer (url: URL, body: URLSearchParams, authorization: string | null): Promise<Response> {
    const token = authorization?.replace(/^Bearer /, '') ?? ''
    const answers: Record<string, () => [status: number, answer: object]> = {
      '/.well-known/openid-configuration': () => [200, metadata()],
      '/jwks': () => {
        const jwk = publicKey.export({ format: 'jwk' })
        return [200, { keys: [{ ...jwk, kid: 'fake', alg: 'ES256', use: 'sig' }] }]
      },
      '/token': () => exchange(body, authorization),
      '/userinfo': () => {
        const person = people.get(token)
        return person ? [200, options.alter?.userInfo?.(person) ?? person] : [401, { error: 'invalid_token' }]
      },
    }
    const [status, said] = answers[url.pathname]?.() ?? [404, {}]
    return new Response(JSON.stringify(said), { status, headers: { 'content-type': 'application/json' } })
  }

  const fake: FakeProvider = {
    provider: oidc({
      ...options,
      id,
      issuer,
      clientId,
      clientSecret,
      fetch: async (input, init) => {
        const url = new URL(String(input))
        fake.asked.push(url.pathname)
        if (fake.isAway) throw new TypeError('fetch failed')
        const { authorization = null } = Object.fromEntries(new Headers(init?.headers))
        const response = await answer(url, new URLSearchParams(String(init?.body ?? '')), authorization)
        return options.alter?.response?.(url, response) ?? response
      },
    }),
    isAway: false,
    asked: [],

    next (said) {
      claims = { sub: 'ada', ...'email' in said && { email_verified: true }, ...said }
    },

    approve (authorizationUrl) {
      const asked = new URL(authorizationUrl).searchParams
      const [code, redirectUri] = [random(), asked.get('redirect_uri')!]
      codes.set(code, {
        claims: { sub: 'ada', ...claims },
        nonce: asked.get('nonce'),
        challenge: asked.get('code_challenge'),
        redirectUri,
      })
      return back(redirectUri, { code, state: asked.get('state')!, iss: issuer })
    },

    deny (authorizationUrl) {
      const asked = new URL(authorizationUrl).searchParams
      return back(asked.get('redirect_uri')!, { error: 'access_denied', state: asked.get('state')!, iss: issuer })
    },
  }
  return fake
}

function back (redirectUri: string, parameters: Record<string, string>): string {
  return `${redirectUri}?${new URLSearchParams(parameters)}`
}
