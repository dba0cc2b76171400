import {
  createHash, generateKeyPairSync, randomBytes, sign, type JsonWebKey, type KeyObject
} from 'node:crypto'
import { OptionsInvalid } from '../../http/errors.ts'

/** Properties of a software passkey. */
export interface SoftPasskeyOptions {
  /** The origin of the page, such as `https://example.com`. */
  origin: string
  /** Whether it verifies its user, by a PIN or a fingerprint. Default true. */
  verified?: boolean
  /** Whether it is kept on several devices. Default false. */
  synced?: boolean
  /** Whether it counts its signatures, as keys of hardware do. Default false: the counter is always 0. */
  counts?: boolean
}

/** A credential as `JSON.stringify` writes a `PublicKeyCredential`: what a page sends. */
export interface SoftCredential {
  id: string
  rawId: string
  type: 'public-key'
  authenticatorAttachment: 'platform'
  clientExtensionResults: object
  response: Record<string, string | string[] | number | undefined>
}

/** An authenticator in software, and the browser in front of it. */
export interface SoftPasskey {
  /**
   * As `navigator.credentials.create` of options that a server has sent.
   * @throws {Error} where one of `excludeCredentials` is here already, or no algorithm is known
   */
  create: (options: any) => SoftCredential
  /**
   * As `navigator.credentials.get` of options that a server has sent.
   * @throws {Error} where there is no such passkey here
   */
  get: (options: any) => SoftCredential
}

interface Stored {
  id: string
  rpId: string
  userHandle: string
  privateKey: KeyObject
  algorithm: Algorithm
  count: number
}

type Algorithm = keyof typeof kinds

/** By the numbers of COSE (RFC 9053): how keys are made, what is signed by them, and their members there. */
const kinds = {
  '-8': {
    make: () => generateKeyPairSync('ed25519'),
    digest: null,
    cose: ({ x }: JsonWebKey) => ({ 1: 1, 3: -8, '-1': 6, '-2': bytes(x) }),
  },
  '-7': {
    make: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    digest: 'sha256',
    cose: ({ x, y }: JsonWebKey) => ({ 1: 2, 3: -7, '-1': 1, '-2': bytes(x), '-3': bytes(y) }),
  },
  '-257': {
    make: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    digest: 'sha256',
    cose: ({ n, e }: JsonWebKey) => ({ 1: 3, 3: -257, '-1': bytes(n), '-2': bytes(e) }),
  },
}

/** Flags of authenticator data (WebAuthn L3 §6.1). */
const flags = { present: 1, verified: 4, mayBeBackedUp: 8, backedUp: 16, attested: 64 }

/**
 * A software passkey for tests: `create` and `get` accept the options that a server has sent, and return what a page
 * would send. Its own options are read at each call, so a test can change them.
 * @throws {OptionsInvalid} if `NODE_ENV` is `'production'`
 */
export function softPasskey (options: SoftPasskeyOptions): SoftPasskey {
  if (process.env.NODE_ENV === 'production') {
    throw new OptionsInvalid('softPasskey is for tests, and NODE_ENV is production')
  }
  const stored: Stored[] = []

  function usualFlags (): number {
    const { verified = true, synced = false } = options
    return flags.present | (verified ? flags.verified : 0) | (synced ? flags.mayBeBackedUp | flags.backedUp : 0)
  }

  function clientData (type: string, challenge: string): Buffer {
    const { origin } = options
    return Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }))
  }

  function authenticatorData (rpId: string, flagged: number, count: number, attested = Buffer.alloc(0)): Buffer {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(count)
    return Buffer.concat([sha256(rpId), Buffer.from([flagged]), counter, attested])
  }

  function credential (id: string, response: SoftCredential['response']): SoftCredential {
    const usual = { type: 'public-key', authenticatorAttachment: 'platform', clientExtensionResults: {} } as const
    return { id, rawId: id, ...usual, response }
  }

  return {
    create ({ rp, user, challenge, pubKeyCredParams, excludeCredentials = [] }) {
      const excluded = excludeCredentials.map(({ id }: { id: string }) => id)
      if (stored.some(({ id }) => excluded.includes(id))) throw new Error('InvalidStateError: it is here already')
      const algorithm: Algorithm | undefined = pubKeyCredParams.map(({ alg }: { alg: number }) => `${alg}`)
        .find((alg: string) => alg in kinds)
      if (!algorithm) throw new Error('NotSupportedError: no algorithm is known')

      const { publicKey, privateKey } = kinds[algorithm].make()
      const id = randomBytes(16)
      const rpId = rp.id ?? new URL(options.origin).hostname
      const key = cbor(kinds[algorithm].cose(publicKey.export({ format: 'jwk' })))
      const length = Buffer.from([0, id.length])
      const data = authenticatorData(rpId, usualFlags() | flags.attested, 0,
        Buffer.concat([Buffer.alloc(16), length, id, key]))
      stored.push({
        id: id.toString('base64url'), rpId, userHandle: user.id, privateKey, algorithm, count: 0,
      })
      return credential(id.toString('base64url'), {
        clientDataJSON: clientData('webauthn.create', challenge).toString('base64url'),
        attestationObject: cbor({ fmt: 'none', attStmt: {}, authData: data }).toString('base64url'),
        authenticatorData: data.toString('base64url'),
        publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64url'),
        publicKeyAlgorithm: Number(algorithm),
        transports: options.synced ? ['internal', 'hybrid'] : ['internal'],
      })
    },

    get ({ rpId = new URL(options.origin).hostname, challenge, allowCredentials = [] }) {
      const allowed = allowCredentials.map(({ id }: { id: string }) => id)
      const found = stored.findLast((each) =>
        each.rpId === rpId && (allowed.length === 0 || allowed.includes(each.id)))
      if (!found) throw new Error('NotAllowedError: there is no such passkey')

      if (options.counts) found.count++
      const data = authenticatorData(rpId, usualFlags(), found.count)
      const client = clientData('webauthn.get', challenge)
      const signed = Buffer.concat([data, createHash('sha256').update(client).digest()])
      return credential(found.id, {
        clientDataJSON: client.toString('base64url'),
        authenticatorData: data.toString('base64url'),
        signature: sign(kinds[found.algorithm].digest, signed, found.privateKey).toString('base64url'),
        userHandle: found.userHandle,
      })
    },
  }
}

function sha256 (text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function bytes (member: string | undefined): Buffer {
  return Buffer.from(member!, 'base64url')
}

/** The few kinds of values that authenticators write, as CBOR (RFC 8949): numbers as keys are integers. */
function cbor (value: number | string | Buffer | object): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  const entries = Object.entries(value).flatMap(([key, each]) =>
    [cbor(/^-?\d+$/.test(key) ? Number(key) : key), cbor(each)])
  return Buffer.concat([head(5, entries.length / 2), ...entries])
}

/** A major type, and a length or a number below 2^16. */
function head (major: number, argument: number): Buffer {
  if (argument < 24) return Buffer.from([major << 5 | argument])
  if (argument < 256) return Buffer.from([major << 5 | 24, argument])
  return Buffer.from([major << 5 | 25, argument >> 8, argument & 255])
}
