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

/** The keys of tickets. */
export interface TicketKeys {
  /** The key that signs. Undefined where there are public keys only. */
  signing: JWT | undefined
  /** The key that a `kid` header names. */
  find: (kid: unknown) => JWT | undefined
}

export interface Keyring {
  /** The key that signs. Undefined where there are public keys only. */
  signing: RingKey | undefined
  /** The key that a `kid` header names. */
  find: (kid: unknown) => RingKey | undefined
  /** The keys of tickets: made when they are first asked for, which must be before the app is ready. */
  openTickets: () => Promise<TicketKeys>
  /** The keys for another purpose, of each key that signs: the first makes values, each verifies them. */
  derived: (purpose: DerivedPurpose) => Buffer[]
  /** The public keys that others need to verify our tokens (RFC 7517 §5). */
  jwks: PublicJwk[]
}

/** How long others may keep the public keys. A new key is shown for at least that long before it signs. */
export const jwksCacheSeconds = 300

const typ = { access: 'at+jwt', refresh: 'rt+jwt', ticket: 'ticket+jwt' } as const

/** Signs tokens and verifies signatures; `tokens.ts` checks the claims. The first key signs, each verifies. */
export async function createKeyring (app: FastifyInstance, keys: Key[], headerFields: object): Promise<Keyring> {
  const opened = await open(app, keys, ['access', 'refresh'], headerFields)
  const ring = new Map<unknown, RingKey>(keys.map(({ kid }) =>
    [kid, { kid, access: opened[`access ${kid}`]!, refresh: opened[`refresh ${kid}`]! }]))
  const signingId = canSign(keys) ? keys[0]!.kid : undefined
  let tickets: Promise<TicketKeys> | undefined

  async function openTickets (): Promise<TicketKeys> {
    const opened = await open(app, keys, ['ticket'], headerFields)
    const ring = new Map<unknown, JWT>(keys.map(({ kid }) => [kid, opened[`ticket ${kid}`]!]))
    return { signing: ring.get(signingId), find: (kid) => ring.get(kid) }
  }

  return {
    signing: ring.get(signingId),
    find: (kid) => ring.get(kid),
    openTickets: () => (tickets ??= openTickets()),
    derived: (purpose) => keys.flatMap(({ seed }) => seed ? derive(seed, purpose) : []),
    jwks: keys.map(({ jwk }) => jwk).filter((jwk) => jwk !== undefined),
  }
}

/** What signs and verifies each of these kinds with each key, by kind and `kid`. */
async function open (
  app: FastifyInstance, keys: Key[], kinds: (keyof typeof typ)[], headerFields: object
): Promise<Record<string, JWT>> {
  const opened: Record<string, JWT> = {}

  await app.register(async (child) => {
    // A `jwt` of the child's own, since the library would add our keys to the host's.
    Object.defineProperty(child, 'jwt', { value: opened })
    for (const { kid, algorithm, material } of keys) {
      for (const kind of kinds) {
        await child.register(jwt, {
          namespace: `${kind} ${kid}`,
          secret: material[kind],
          sign: { algorithm, kid, header: { ...headerFields, alg: algorithm, typ: typ[kind] } },
          verify: { algorithms: [algorithm], complete: true, ignoreExpiration: true, ignoreNotBefore: true },
        })
      }
    }
  })

  return opened
}

/** True for the `typ` header of a kind of token, compared as RFC 9068 §4 asks. */
export function isOfKind (header: unknown, kind: keyof typeof typ): boolean {
  return typeof header === 'string' && header.toLowerCase().replace(/^application\//, '') === typ[kind]
}

/** The kind that a `typ` header names. Undefined for any that is no kind of a session's tokens. */
export function kindOf (header: unknown): TokenKind | undefined {
  return (['access', 'refresh'] as const).find((kind) => isOfKind(header, kind))
}
