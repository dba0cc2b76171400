import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { algorithms, type Algorithm, type Key } from '../tokens/key.ts'
import { readKey } from '../tokens/read-key.ts'
import { defineCommand } from './command.ts'
import { Refused, UsageWrong } from './errors.ts'

const rsa = () => generateKeyPairSync('rsa', { modulusLength: 3072 })
const curve = (namedCurve: string) => () => generateKeyPairSync('ec', { namedCurve })

const generators: Record<string, () => { privateKey: KeyObject }> = {
  EdDSA: () => generateKeyPairSync('ed25519'),
  ES256: curve('P-256'),
  ES384: curve('P-384'),
  ES512: curve('P-521'),
  RS256: rsa,
  PS256: rsa,
}
const names = algorithms.filter((name) => Object.hasOwn(generators, name)).join(', ')

export const keys = defineCommand({
  name: 'keys',
  summary:
    'Makes a key pair. Prints the private key, which contains the public one, or writes both to files.',
  flags: {
    algorithm: { type: 'string', value: 'NAME', summary: `${names}; by default EdDSA` },
    format: { type: 'string', value: 'FORMAT', summary: 'pem or jwk; by default pem' },
    kid: { type: 'string', value: 'KID', summary: 'the name of the key, in a jwk; by default its thumbprint' },
    out: {
      type: 'string',
      value: 'DIR',
      summary: 'a folder for private.pem, which only you can read, and public.pem, or .jwk',
    },
  },
  run (_, { algorithm = 'EdDSA', format = 'pem', kid, out }) {
    if (!Object.hasOwn(generators, algorithm)) throw new UsageWrong(`--algorithm is one of ${names}`)
    if (format !== 'pem' && format !== 'jwk') throw new UsageWrong('--format is pem or jwk')
    if (kid !== undefined && format === 'pem') {
      throw new UsageWrong('A pem has no place for --kid: it goes with --format jwk')
    }

    const { privateKey } = generators[algorithm]!()
    const key = readKey({ private: privateKey, algorithm: algorithm as Algorithm, ...kid !== undefined && { kid } })
    if (typeof key === 'string') throw new UsageWrong(`The key ${key}`)

    const pair = format === 'pem' ? asPem(key) : asJwk(key, privateKey)
    if (out === undefined) return { result: { algorithm, kid: key.kid, ...pair }, text: asText(pair.private) }
    const files = write(out, format, pair)
    return { result: { algorithm, kid: key.kid, files }, text: files.join('\n') }
  },
})

interface Pair {
  private: string | object
  public: string | object
}

function asPem ({ material }: Key): Pair {
  return material.access as Pair
}

function asJwk ({ jwk }: Key, privateKey: KeyObject): Pair {
  return { private: { ...privateKey.export({ format: 'jwk' }), ...jwk }, public: jwk! }
}

function asText (part: string | object): string {
  return typeof part === 'string' ? part.trimEnd() : JSON.stringify(part)
}

/** Both or neither, and never over what is there: a lost private key cannot be had again. */
function write (folder: string, format: string, pair: Pair): string[] {
  const files = { private: join(folder, `private.${format}`), public: join(folder, `public.${format}`) }
  const present = Object.values(files).find(existsSync)
  if (present) throw new Refused(`${present} is there already`)

  mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(files.private, `${asText(pair.private)}\n`, { flag: 'wx', mode: 0o600 })
  writeFileSync(files.public, `${asText(pair.public)}\n`, { flag: 'wx' })
  return Object.values(files)
}
