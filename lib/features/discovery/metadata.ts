import type { Algorithm } from '../../tokens/key.ts'

/** What verifiers are told of an issuer: members of OpenID Connect Discovery 1.0 §3 and RFC 8414 §2. */
export interface Metadata {
  issuer: string
  jwks_uri: string
  introspection_endpoint?: string
  introspection_endpoint_auth_methods_supported?: string[]
  revocation_endpoint?: string
  revocation_endpoint_auth_methods_supported?: string[]
  /** Of tokens, for verifiers that look here: there are no ID tokens. */
  id_token_signing_alg_values_supported: Algorithm[]
  /** Nobody gets a token here that others would ask for. */
  grant_types_supported: string[]
  /** Nobody is sent here to sign in. */
  response_types_supported: string[]
  subject_types_supported: string[]
}

/** Who the issuer is, and what it offers. */
export interface Described {
  issuer: string
  /** The path on the server that routes are below. */
  prefix: string
  /** Where routes are below that, by their names. */
  routes: Record<string, string>
  algorithms: Algorithm[]
}

/** Where what is told of an issuer is found: paths from the root of its host. */
export interface Places {
  openidConfiguration: string
  authorizationServer: string
  jwks: string
}

/** Routes that others are told of, by the names that RFC 8414 has for them, and how a client proves who it is there. */
const endpoints = [
  ['introspect', 'introspection', ['client_secret_basic', 'client_secret_post']],
  ['revoke', 'revocation', ['none']],
] as const

/**
 * Where verifiers look that know the issuer alone. OpenID Connect puts its name behind the path of the issuer, RFC 8414
 * §3.1 before it.
 */
export function placesOf (issuer: string): Places {
  const path = pathOf(issuer)
  return {
    openidConfiguration: `${path}/.well-known/openid-configuration`,
    authorizationServer: `/.well-known/oauth-authorization-server${path}`,
    jwks: `${path}/.well-known/jwks.json`,
  }
}

export function metadataOf ({ issuer, prefix, routes, algorithms }: Described): Metadata {
  const { origin } = new URL(issuer)
  const offered = endpoints.filter(([route]) => routes[route] !== undefined).flatMap(([route, name, methods]) => [
    [`${name}_endpoint`, `${origin}${prefix}${routes[route]}`],
    [`${name}_endpoint_auth_methods_supported`, methods],
  ])
  return {
    issuer,
    jwks_uri: `${origin}${placesOf(issuer).jwks}`,
    ...Object.fromEntries(offered),
    id_token_signing_alg_values_supported: algorithms,
    grant_types_supported: [],
    response_types_supported: [],
    subject_types_supported: ['public'],
  }
}

/** A slash at the end is no part of it (OpenID Connect Discovery 1.0 §4). */
function pathOf (issuer: string): string {
  return new URL(issuer).pathname.replace(/\/$/, '')
}
