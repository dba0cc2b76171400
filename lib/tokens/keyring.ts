import jwt, { type JWT } from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import { derive, type DerivedPurpose } from '../secrets/derive.ts'
import { canSign, type Key, type PublicJwk } from './key.ts'

/** What a token is for. Each kind has its own `typ` header. */
export type TokenKind = 'access' | 'refresh'

/** A key that is ready for use. */
export interface RingKey {
  kid: string
  access: JWT
  refresh: JWT
}

export interface Keyring {
  /** The key that signs. Undefined where there are public keys only. */
  signing: RingKey | undefined
  /** The key that a `kid` header names. */
  find: (kid: unknown) => RingKey | undefined
  /** The keys for another purpose, of each key that signs: the first makes values, each verifies them. */
  derived: (purpose: DerivedPurpose) => Buffer[]
  /** The public keys that others need to verify our tokens (RFC 7517 §5). */
  jwks: PublicJwk[]
}

const typ = { access: 'at+jwt', refresh: 'rt+jwt' } as const

/** Signs tokens and verifies signatures; `tokens.ts` checks the claims. The first key signs, each verifies. */
export async function createKeyring (app: FastifyInstance, keys: Key[], headerFields: object): Promise<Keyring> {
  const opened: Record<string, JWT> = {}

  await app.register(async (child) => {
    // A `jwt` of the child's own, since the library would add our keys to the host's.
    Object.defineProperty(child, 'jwt', { value: opened })
    for (const { kid, algorithm, material } of keys) {
      for (const kind of ['access', 'refresh'] as const) {
        await child.register(jwt, {
          namespace: `${kind} ${kid}`,
          secret: material[kind],
          sign: { algorithm, kid, header: { ...headerFields, alg: algorithm, typ: typ[kind] } },
          verify: { algorithms: [algorithm], complete: true, ignoreExpiration: true, ignoreNotBefore: true },
        })
      }
    }
  })

  const ring = new Map<unknown, RingKey>(keys.map(({ kid }) =>
    [kid, { kid, access: opened[`access ${kid}`]!, refresh: opened[`refresh ${kid}`]! }]))
  return {
    signing: canSign(keys) ? ring.get(keys[0]!.kid) : undefined,
    find: (kid) => ring.get(kid),
    derived: (purpose) => keys.flatMap(({ seed }) => seed ? derive(seed, purpose) : []),
    jwks: keys.map(({ jwk }) => jwk).filter((jwk) => jwk !== undefined),
  }
}

/** The kind that a `typ` header names, compared as RFC 9068 §4 asks. Undefined for any other. */
export function kindOf (header: string): TokenKind | undefined {
  const name = header.toLowerCase().replace(/^application\//, '')
  return name === typ.access ? 'access' : name === typ.refresh ? 'refresh' : undefined
}
