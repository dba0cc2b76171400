/** RFC 7518 §3.2: a key for HS256 is at least as long as its hash. */
const minBytes = 32

/** Fewer different bytes than this is a key somebody typed, such as one word many times. */
const minDistinctBytes = 8

/** A secret of these words alone comes from a tutorial or a template, not from a random generator. */
const placeholder = new RegExp('^(' + [
  'a', 'abcdefghijklmnopqrstuvwxyz', 'abcdef', 'access', 'and', 'app', 'application', 'at', 'auth', 'be', 'bit', 'bits', 'byte',
  'bytes', 'change', 'characters', 'chars', 'default', 'dev', 'development', 'example', 'fastify', 'foo', 'for', 'bar',
  'here', 'hs', 'in', 'insecure', 'is', 'it', 'jwt', 'key', 'least', 'length', 'local', 'long', 'me', 'minimum', 'must',
  'my', 'node', 'not', 'of', 'only', 'or', 'password', 'placeholder', 'please', 'private', 'prod', 'production', 'random',
  'refresh', 'replace', 'sample', 'secret', 'secure', 'secured', 'session', 'should', 'signing', 'strong', 'string',
  'super', 'test', 'testing', 'that', 'the', 'this', 'to', 'token', 'top', 'use', 'value', 'very', 'with', 'your',
  '0123456789', '1234567890', '123456789', '12345678', '123456', '1234', '12', '32', '64', '128', '256', '384', '512',
].join('|') + ')+$')

/** Says what a secret for HMAC must be and is not, or nothing. The sentence never holds the secret. */
export function weakness (secret: unknown): string | undefined {
  if (typeof secret !== 'string' && !Buffer.isBuffer(secret)) return 'must be a string or a Buffer'

  const bytes = Buffer.from(secret)
  const text = bytes.toString()
  if (bytes.length < minBytes) return `must be at least ${minBytes} bytes long`
  if (isKeyFile(text)) return 'must not be a PEM or JWK key: with a public one anybody could sign'
  if (new Set(bytes).size < minDistinctBytes) return 'must be random: it has too few different bytes'
  if (isPlaceholder(text)) return 'must be random: it is a placeholder'
}

/** Bytes that nobody could have typed are no text, though some of them may be letters. */
function isPlaceholder (text: string): boolean {
  return /^[\x20-\x7e\s]+$/.test(text) && placeholder.test(text.toLowerCase().replace(/[^a-z0-9]/g, ''))
}

function isKeyFile (text: string): boolean {
  return text.includes('-----BEGIN') || /\{[^]*"(kty|keys)"\s*:/.test(text)
}
