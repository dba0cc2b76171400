import { createPublicKey, X509Certificate } from 'node:crypto'

/** RFC 7518 §3.2: a key for HS256 is at least as long as its hash. */
const minBytes = 32

/** Fewer different bytes than this is a key somebody typed, such as one word many times. */
const minDistinctBytes = 8

/** A secret of these words alone comes from a tutorial or a template, not from a random generator. */
const words = (
  'a abcdefghijklmnopqrstuvwxyz abcdef access and app application asdfghjkl at auth bar be bit bits byte bytes cat ' +
  'change characters chars default dev development enough example fastify foo for here hs in insecure insert is it ' +
  'jwt key keyboard least length local long me minimum must my node not of only or password placeholder please ' +
  'private prod production qwertyuiop random refresh replace sample secret secure secured session should signing ' +
  'strong string super test testing that the this to token top use value very with your zxcvbnm 0123456789 ' +
  '1234567890 123456789 12345678 123456 1234 12 32 64 128 256 384 512'
).split(' ')

/** Says what a secret for HMAC must be and is not; undefined for a good one. The words never hold the secret. */
export function weakness (secret: string | Buffer): string | undefined {
  const bytes = Buffer.from(secret)
  if (bytes.length < minBytes) return `must be at least ${minBytes} bytes long`
  if (spellings(bytes).some(isKeyFile)) {
    return 'must not be a PEM, DER, JWK or SSH key: with a public one anybody could sign. ' +
      'Give { private } or { public } instead'
  }
  if (new Set(bytes).size < minDistinctBytes) return 'must be random: it has too few different bytes'
  if (isPlaceholder(bytes.toString())) return 'must be random: it is a placeholder'
}

/**
 * What is wrong with an option that takes a secret or a list of different ones, of which `kind` is the name of one;
 * undefined for good ones. The words never hold a secret.
 */
export function problemOfSecrets (option: string, kind: string, given: unknown): string | undefined {
  const secrets: unknown[] = [given].flat()
  if (secrets.length === 0) return `${option} must hold a ${kind}`
  if (!secrets.every((secret) => typeof secret === 'string' || Buffer.isBuffer(secret))) {
    return `${option} must be a string or a Buffer, or a list of these`
  }

  const weak = secrets.map(weakness).find(Boolean)
  if (weak) return `${option} ${weak}`
  const different = new Set(secrets.map((secret) => Buffer.from(secret as string).toString('hex')))
  return different.size < secrets.length ? `${option} must hold different ${kind}s` : undefined
}

/** Bytes that nobody could have typed are no text, though some of them may be letters. */
function isPlaceholder (text: string): boolean {
  return /^[\x20-\x7e\s]+$/.test(text) && isMadeOfWords(text.toLowerCase().replace(/[^a-z0-9]/g, ''))
}

/** Notes each place where a word may end: to try each way to cut a text into words would take exponential time. */
function isMadeOfWords (text: string): boolean {
  const reached = new Set([0])
  for (const place of reached) {
    for (const word of words) if (text.startsWith(word, place)) reached.add(place + word.length)
  }
  return text !== '' && reached.has(text.length)
}

/** True for keys of other algorithms, in every form that they are passed around in (CVE-2015-9235, CVE-2022-29217). */
function isKeyFile (bytes: Buffer): boolean {
  const text = bytes.toString('latin1').replaceAll('\0', '')
  return /---- ?BEGIN|^\s*(ssh|ecdsa|sk)-/.test(text) || isJsonKey(text) || isDerKey(bytes)
}

function isJsonKey (text: string): boolean {
  const unescaped = text.replace(/\\u00([0-7][0-9a-f])/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  return /\{[^]*"(kty|keys)"\s*:/.test(unescaped)
}

function isDerKey (key: Buffer): boolean {
  const readers = [
    () => createPublicKey({ key, format: 'der', type: 'spki' }),
    () => createPublicKey({ key, format: 'der', type: 'pkcs1' }),
    () => new X509Certificate(key),
  ]
  return readers.some((read) => {
    try {
      return read() !== undefined
    } catch {
      return false
    }
  })
}

/** The bytes as they are, and what they decode to if they are Base64 or hexadecimal digits. */
function spellings (bytes: Buffer): Buffer[] {
  return [bytes, Buffer.from(bytes.toString(), 'base64'), Buffer.from(bytes.toString(), 'hex')]
}
