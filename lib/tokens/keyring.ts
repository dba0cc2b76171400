import { createHash, hkdfSync } from 'node:crypto'
import jwt, { type JWT } from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'

/** What a token is for. Each kind has its own `typ` header and its own key. */
export type TokenKind = 'access' | 'refresh'

export interface Keyring {
  /** The key's name in the `kid` header. */
  kid: string
  access: JWT
  refresh: JWT
}

const typ = { access: 'at+jwt', refresh: 'rt+jwt' } as const

/**
 * Signs and checks signatures, nothing else: claims are `tokens.ts`'s business. Access tokens are signed with the
 * secret itself, so that any JWT tool can check them; the refresh key is derived from it (RFC 5869), so that one
 * kind of token can never pass for the other.
 */
export async function createKeyring (app: FastifyInstance, secret: Buffer): Promise<Keyring> {
  const kid = createHash('sha256').update(derive(secret, 'kid')).digest('base64url').slice(0, 16)
  const keys = { access: secret, refresh: derive(secret, 'refresh') }

  const opened: Record<string, JWT> = {}

  await app.register(async (child) => {
    // A `jwt` of the child's own: the library would hang our keys on the host's.
    Object.defineProperty(child, 'jwt', { value: opened })
    for (const kind of ['access', 'refresh'] as const) {
      await child.register(jwt, {
        namespace: `accounts-${kind}`,
        secret: keys[kind],
        sign: { algorithm: 'HS256', kid, header: { alg: 'HS256', typ: typ[kind] } },
        verify: { algorithms: ['HS256'], complete: true, ignoreExpiration: true, ignoreNotBefore: true },
      })
    }
  })

  return { kid, access: opened['accounts-access']!, refresh: opened['accounts-refresh']! }
}

/** The kind that a `typ` header names, compared as RFC 9068 §4 asks, or nothing. */
export function kindOf (header: string): TokenKind | undefined {
  const name = header.toLowerCase().replace(/^application\//, '')
  return name === typ.access ? 'access' : name === typ.refresh ? 'refresh' : undefined
}

function derive (secret: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `fastify-jwt-accounts/${purpose}/v1`, 32))
}
