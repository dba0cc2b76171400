import { randomBytes } from 'node:crypto'
import jwt, { type JWT } from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import type { Key, PublicJwk } from './key.ts'

/** What a token is for. Each kind has its own `typ` header. */
export type TokenKind = 'access' | 'refresh'

/** A key that is ready for use. */
export interface RingKey {
  kid: string
  access: JWT
  refresh: JWT
}

export interface Keyring {
  /** Signs; nothing does where there are public keys only. */
  signing: RingKey | undefined
  /** The key that a `kid` header names. */
  find: (kid: unknown) => RingKey | undefined
  /** The keys of values against CSRF: the first makes them, all check them. */
  csrf: Buffer[]
  /** Those of the values by which a browser is known, likewise. */
  device: Buffer[]
  /** The key of what is counted against guessing. Processes that share a database and the first secret count together. */
  throttle: Buffer
  /** What others need to verify our tokens (RFC 7517 §5). */
  jwks: PublicJwk[]
}

const typ = { access: 'at+jwt', refresh: 'rt+jwt' } as const

/** Signs and checks signatures, nothing else: claims are `tokens.ts`'s business. The first key signs, all verify. */
export async function createKeyring (app: FastifyInstance, keys: Key[], headerFields: object): Promise<Keyring> {
  const opened: Record<string, JWT> = {}

  await app.register(async (child) => {
    // A `jwt` of the child's own: the library would hang our keys on the host's.
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

  const ring = new Map<unknown, RingKey>(keys.map(({ kid }) => [kid, { kid, access: opened[`access ${kid}`]!, refresh: opened[`refresh ${kid}`]! }]))
  return {
    signing: keys[0]!.signs ? ring.get(keys[0]!.kid) : undefined,
    find: (kid) => ring.get(kid),
    csrf: keys.map(({ csrf }) => csrf).filter((key) => key !== undefined),
    device: keys.map(({ device }) => device).filter((key) => key !== undefined),
    // With public keys alone nobody signs in here, and what is counted is this process's own.
    throttle: keys.map(({ throttle }) => throttle).find((key) => key !== undefined) ?? randomBytes(32),
    jwks: keys.map(({ jwk }) => jwk).filter((jwk) => jwk !== undefined),
  }
}

/** The kind that a `typ` header names, compared as RFC 9068 §4 asks, or nothing. */
export function kindOf (header: string): TokenKind | undefined {
  const name = header.toLowerCase().replace(/^application\//, '')
  return name === typ.access ? 'access' : name === typ.refresh ? 'refresh' : undefined
}
