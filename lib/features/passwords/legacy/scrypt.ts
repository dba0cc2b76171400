import { scrypt as derive, timingSafeEqual, type ScryptOptions } from 'node:crypto'
import { promisify } from 'node:util'
import type { PasswordVerifier } from '../options.ts'

interface Cost {
  N: number
  r: number
  p: number
}

interface Derived extends Cost {
  salt: string | Buffer
  key: Buffer
  /** What the other system did with the password. */
  prepare?: (password: string) => string
}

/**
 * The PHC strings of passlib and others, Werkzeug's `scrypt:…`, Django's `scrypt$…`, and better-auth's, which bear no
 * name.
 */
const phc =
  /^\$scrypt\$ln=(?<ln>\d{1,2}),r=(?<r>\d{1,3}),p=(?<p>\d{1,3})\$(?<salt>[A-Za-z0-9+/]{1,128})\$(?<key>[A-Za-z0-9+/]{22,86})$/
const werkzeug =
  /^scrypt:(?<N>\d{1,8}):(?<r>\d{1,3}):(?<p>\d{1,3})\$(?<salt>[^$]{1,128})\$(?<key>(?:[0-9a-f]{2}){16,64})$/
const django =
  /^scrypt\$(?<N>\d{1,8})\$(?<salt>[^$]{1,128})\$(?<r>\d{1,3})\$(?<p>\d{1,3})\$(?<key>[A-Za-z0-9+/]{22,86}={0,2})$/
const betterAuth = /^([0-9a-f]{32}):([0-9a-f]{128})$/

/** What a hash may ask for in any case: 1 GiB, and 16 rounds of it. */
const mostBlocks = 2 ** 23
const mostLanes = 16

const scryptOf = promisify<string, string | Buffer, number, ScryptOptions, Buffer>(derive)

/** Verifies scrypt hashes up to this cost. */
export function scrypt ({ N, r = 8, p = 1 }: { N: number, r?: number, p?: number }): PasswordVerifier {
  return {
    decoy: `scrypt:${N}:${r}:${p}$salt$${'00'.repeat(64)}`,

    knows (hash) {
      const stored = read(hash)
      return (
        stored !== undefined &&
        isPossible(stored) &&
        stored.N * stored.r <= N * r &&
        stored.N * stored.r * stored.p <= N * r * p
      )
    },

    async verify (hash, password) {
      const { salt, key, prepare = (text: string) => text, ...cost } = read(hash)!
      const text = prepare(password)
      if (timingSafeEqual(await run(text, salt, key.length, cost), key)) return true
      // Each step doubles the work: with these it is that of a hash of the full cost.
      for (let spent = cost.N; spent < N; spent *= 2) await run(text, salt, key.length, { N: spent, r, p })
      return false
    },
  }
}

function run (password: string, salt: string | Buffer, length: number, cost: Cost): Promise<Buffer> {
  return scryptOf(password, salt, length, { ...cost, maxmem: 256 * cost.r * (cost.N + cost.p) })
}

/** RFC 7914 §6, and within reason. */
function isPossible ({ N, r, p }: Cost): boolean {
  return (
    N > 1 && Number.isInteger(Math.log2(N)) && Math.log2(N) < 16 * r && N * r <= mostBlocks && p > 0 && p <= mostLanes
  )
}

function read (hash: string): Derived | undefined {
  const {
    ln,
    N = 2 ** Number(ln),
    r,
    p,
    salt,
    key,
  } = phc.exec(hash)?.groups ?? werkzeug.exec(hash)?.groups ?? django.exec(hash)?.groups ?? {}
  if (salt !== undefined && key !== undefined) {
    const cost = { N: Number(N), r: Number(r), p: Number(p) }
    return {
      ...cost,
      salt: ln ? Buffer.from(salt, 'base64') : salt,
      key: Buffer.from(key, hash.startsWith('scrypt:') ? 'hex' : 'base64'),
    }
  }

  // Its salt is the text that it stands in.
  const [, text, digest = ''] = betterAuth.exec(hash) ?? []
  return text
    ? {
        N: 16384,
        r: 16,
        p: 1,
        salt: text,
        key: Buffer.from(digest, 'hex'),
        prepare: (password) => password.normalize('NFKC'),
      }
    : undefined
}
