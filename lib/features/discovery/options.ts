import { Type } from '@sinclair/typebox'
import { settled, type Filled } from '../../checks/slice.ts'
import type { Key } from '../../tokens/key.ts'

export const options = {
  discovery: Type.Boolean({
    default: false,
    description: 'Publishes metadata and keys at `/.well-known/openid-configuration` and related paths, for ' +
      'verifiers that know only the issuer ([discovery](discovery.md)). Needs an issuer that is an https URL, and ' +
      'an asymmetric key.',
  }),
}

/** What the settings say of discovery, and of the routes that it tells of. */
export type DiscoverySettings = ReturnType<typeof read> & { prefix: string, routes: Record<string, string> }

export function problems (
  { discovery, issuer }: Filled<typeof options> & { issuer: string }, keys: Key[]
): string[] {
  if (!discovery) return []
  return [
    ...keys.some(({ jwk }) => jwk) ? [] : ['discovery needs an asymmetric key: nobody else verifies by an HMAC secret'],
    ...isIssuer(issuer) ? [] : ['discovery needs an issuer that is an https URL without a query or a fragment'],
  ]
}

/** As RFC 8414 §2 has it. */
function isIssuer (issuer: string): boolean {
  return URL.canParse(issuer) && issuer.startsWith('https://') && !/[?#]/.test(issuer)
}

export function read (given: Filled<typeof options>) {
  return settled(options, given)
}
