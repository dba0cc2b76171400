import { createHash, createPublicKey } from 'node:crypto'
import { encode } from '../support/build.ts'
import { keyConfusion, otherKeys, specialSignatures, swaps, type Family } from './forgery-signatures.ts'
import {
  ecdsa,
  embedded,
  foreignSecret,
  genuine,
  hmac,
  signers,
  type Genuine,
  type Kind,
  type Signer,
} from './signer.ts'

/** A text that is no token of ours, though most of them nearly are. `family: what is wrong with it (kind)`. */
export interface Forgery {
  name: string
  token: string
}

const makers: Record<string, Family> = {
  'alg none': algNone,
  'odd alg': oddAlgorithms,
  'other alg': otherAlgorithms,
  'other signature': swaps,
  key: otherKeys,
  'HMAC key': wrongSecrets,
  'key confusion': keyConfusion,
  'special signature': specialSignatures,
  kid: keyIds,
  'embedded key': embeddedKeys,
  crit: criticals,
  typ: types,
  'other kind': swappedKinds,
  header: headerShapes,
  structure: structures,
  base64: alphabets,
  payload: payloadShapes,
  'missing claim': missingClaims,
  'type of claim': typesOfClaims,
  party: parties,
  id: ids,
  time: times,
  'duplicate claim': duplicates,
  mixture: mixtures,
  'bit flip': bitFlips,
}

/** What forgeries come in: each family attacks one thing. */
export const families = Object.keys(makers)

/** The two tokens of a session, and who signed them. */
export interface Pair {
  access: string
  refresh: string
  signer?: Signer
}

/** Forgeries of one family and of one kind. None may be let in. URLs in them lead to `url`. */
export function forge (
  family: string,
  kind: Kind,
  { access, refresh, signer = signers.HS256! }: Pair,
  url = 'http://127.0.0.1:9'
): Forgery[] {
  const pair = { access: genuine('access', access, signer), refresh: genuine('refresh', refresh, signer) }
  const tokens = makers[family]!(pair[kind], pair[kind === 'access' ? 'refresh' : 'access'], url)
  return Object.entries(tokens).map(([what, token]) => ({ name: `${family}: ${what} (${kind})`, token }))
}

/** Signs a token again after a change of its header or of its claims; `undefined` leaves one out. */
const withHeader = ({ header, payload, mint }: Genuine, change: object) => mint({ ...header, ...change }, payload)
const withClaims = ({ header, payload, mint }: Genuine, change: object) => mint(header, { ...payload, ...change })

/** Gives one claim a value that `JSON.stringify` would not write. */
function withRawClaim ({ header, payload, mint }: Genuine, claim: string, json: string): string {
  return mint(header, JSON.stringify({ ...payload, [claim]: '@' }).replace('"@"', () => json))
}

function segmentsOf (token: string): [header: string, payload: string, signature: string] {
  return token.split('.') as [string, string, string]
}

/** One token for each of the values, named after it. */
function each (values: unknown[], make: (value: any) => string, prefix = ''): Record<string, string> {
  return Object.fromEntries(values.map((value) => [prefix + nameOf(value), make(value)]))
}

function nameOf (value: unknown): string {
  const text = JSON.stringify(value) ?? 'absent'
  return text.length > 60 ? `${text.slice(0, 40)}… (${text.length} characters)` : text
}

/** RFC 8725 §3.1: unsigned, in every spelling that a list of forbidden names would not have. */
function algNone (real: Genuine): Record<string, string> {
  const spellings = ['none', 'None', 'NONE', 'nOnE', 'noNe', ' none', 'none ', 'none\0', 'n\u043ene']
  const signature = segmentsOf(real.token)[2]
  const unsigned = (alg: string) => `${encode({ ...real.header, alg })}.${encode(real.payload)}.`

  return {
    ...each(spellings, unsigned, 'unsigned, '),
    ...each(spellings, (alg) => unsigned(alg) + signature, 'with the real signature, '),
    ...each(spellings, (alg) => withHeader(real, { alg }), 'signed, '),
    'a bare header': `${encode({ alg: 'none' })}.${encode(real.payload)}.`,
    'without the last dot': unsigned('none').slice(0, -1),
    'an empty payload': `${encode({ ...real.header, alg: 'none' })}..`,
  }
}

function oddAlgorithms (real: Genuine): Record<string, string> {
  const { alg } = real.header
  const odd = new Set([
    undefined,
    null,
    [],
    [alg],
    [alg, 'none'],
    {},
    { alg },
    0,
    256,
    true,
    false,
    '',
    ' ',
    `${alg} `,
    ` ${alg}`,
    `${alg}\0`,
    `${alg}\n`,
    `${alg},none`,
    `${alg[0]}${alg.slice(1).toLowerCase()}`,
    alg.toLowerCase(),
    alg.toUpperCase(),
    'hs256',
    'Hs256',
    'HS-256',
    'HMAC',
    'SHA256',
    'sha256',
    'RSA',
    'rs256',
    'ECDSA',
    'eddsa',
    'ED25519',
    'Ed448',
    'HS1',
    'HS224',
    'RS1',
    '__proto__',
    'constructor',
    'toString',
    'ＨＳ256',
    'A'.repeat(300),
  ])
  odd.delete(alg)
  return each([...odd], (alg) => withHeader(real, { alg }))
}

/** One key, one algorithm (RFC 8725 §3.1): the label alone counts, even over a right signature. */
function otherAlgorithms (real: Genuine): Record<string, string> {
  const labels = [
    'HS256',
    'HS384',
    'HS512',
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'ES256',
    'ES384',
    'ES512',
    'ES256K',
    'EdDSA',
    'Ed25519',
    'dir',
    'A256KW',
    'RSA-OAEP',
    'ML-DSA-44',
  ]
  return each(labels.filter((label) => label !== real.header.alg), (alg) => withHeader(real, { alg }))
}

/** HMAC fills a key up with zero bytes: the empty key is any number of them, and `key + '\0'` would be the key. */
function wrongSecrets ({ kind, header, payload, mint, signer }: Genuine, other: Genuine): Record<string, string> {
  if (!signer.secrets) return {}
  const key = Buffer.from(signer.secrets[kind])

  const keys: Record<string, Buffer> = {
    'empty, or zero bytes': Buffer.alloc(0),
    '"1"': Buffer.from('1'),
    '"secret"': Buffer.from('secret'),
    '"null"': Buffer.from('null'),
    '"undefined"': Buffer.from('undefined'),
    'without its first byte': key.subarray(1),
    'without its last byte': key.subarray(0, -1),
    'with a space after it': Buffer.concat([key, Buffer.from(' ')]),
    'with a line feed after it': Buffer.concat([key, Buffer.from('\n')]),
    'in hex': Buffer.from(key.toString('hex')),
    'in base64': Buffer.from(key.toString('base64')),
    'decoded from base64': Buffer.from(key.toString(), 'base64'),
    hashed: createHash('sha256').update(key).digest(),
    'backwards, byte by byte': Buffer.from(key).reverse(),
    'in lower case': Buffer.from(key.toString('latin1').toLowerCase(), 'latin1'),
    'the kid': Buffer.from(header.kid),
    'the issuer': Buffer.from(payload.iss),
    'the session': Buffer.from(payload.sid),
    'of the other kind': Buffer.from(signer.secrets[other.kind]),
  }
  return Object.fromEntries(Object.entries(keys).map(([what, wrong]) => [what, mint(header, payload, hmac(wrong))]))
}

function keyIds (real: Genuine): Record<string, string> {
  const { header, payload, mint } = real
  const { kid } = header
  const tampered = [
    undefined, null, '', ' ', 0, 1, true, false, [], [kid], {}, { kid }, { toString: kid },
    `${kid} `, ` ${kid}`, `${kid}\0`, kid.slice(0, -1), kid.slice(1), kid.toLowerCase(), kid.toUpperCase(), kid + kid,
    '__proto__', 'constructor', 'toString', '../../dev/null', '/dev/null', 'file:///dev/null', '%00',
    "' OR 1=1 --", "x' UNION SELECT '' --", '|sleep 10', '$(sleep 10)', 'A'.repeat(600), 'A'.repeat(5000),
  ]
  return {
    ...each(tampered, (kid) => withHeader(real, { kid }), 'right key, '),
    ...each(
      ['', 'x', '__proto__', '/dev/null', kid],
      (kid) => mint({ ...header, alg: 'HS256', kid }, payload, hmac('')),
      'empty key, '
    ),
    ...each(
      ['1', "' UNION SELECT '1"],
      (kid) => mint({ ...header, alg: 'HS256', kid }, payload, hmac('1')),
      'the key it asks for, '
    ),
  }
}

/** RFC 7515 §4.1.2-4.1.6: whatever key a header brings or points at, it is the forger's. */
function embeddedKeys (
  { header, payload, mint, signer }: Genuine,
  _other: Genuine,
  url: string
): Record<string, string> {
  const key = signer.foreignKey ?? embedded
  const jwk = createPublicKey(key).export({ format: 'jwk' })
  const x5c = [createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64')]
  const oct = { kty: 'oct', k: encode(foreignSecret), alg: 'HS256', kid: header.kid }
  const sources = {
    jwk: { jwk },
    'jwk with the kid': { jwk: { ...jwk, kid: header.kid, alg: header.alg, use: 'sig' } },
    jku: { jku: `${url}/keys.json` },
    'jku and its kid': { jku: `${url}/keys.json`, kid: 'theirs' },
    x5u: { x5u: `${url}/key.pem` },
    x5c: { x5c },
    'x5c in PEM': { x5c: createPublicKey(key).export({ format: 'pem', type: 'spki' }) },
    'x5t#S256': { 'x5t#S256': encode('thumbprint') },
    iss: { iss: url },
    'jwk of HMAC': { jwk: oct },
    'kid of a URL': { kid: `${url}/keys.json` },
    'kid of a JWK': { kid: JSON.stringify(jwk) },
  }

  return Object.assign(
    {},
    ...Object.entries(sources).map(([name, more]) => ({
      [`${name}, the same algorithm`]: mint({ ...header, ...more }, payload, signer.foreign),
      [`${name}, HS256`]: mint({ ...header, alg: 'HS256', ...more }, payload, hmac(foreignSecret)),
      [`${name}, ES256`]: mint({ ...header, alg: 'ES256', ...more }, payload, ecdsa(embedded)),
      [`${name}, alone`]: mint({ alg: header.alg, typ: header.typ, ...more }, payload, signer.foreign),
    }))
  )
}

/** RFC 7515 §4.1.11, RFC 7797 §6: what a token insists on and we do not understand refuses it. */
function criticals (real: Genuine): Record<string, string> {
  const { header, payload, seal } = real
  const insisted = [
    null, '', 0, false, true, [], {}, 'exp', 'b64', ['exp'], ['unknown'], ['b64'], ['alg'], ['kid', 'typ'],
    ['__proto__'], [''], [null], [1], ['crit'],
  ]
  const raw = { ...header, b64: false, crit: ['b64'] }
  return {
    ...each(insisted, (crit) => withHeader(real, { crit })),
    ...each([true, 'yes', null], (unknown) => withHeader(real, { crit: ['unknown'], unknown }), 'present, '),
    'b64 false': withHeader(real, { b64: false }),
    'b64 false and critical': withHeader(real, { b64: false, crit: ['b64'] }),
    'b64 false, payload as it is': seal(encode(raw), JSON.stringify(payload)),
    'b64 false, no payload': seal(encode(raw), ''),
    'b64 "false"': withHeader(real, { b64: 'false' }),
    'b64 null': withHeader(real, { b64: null }),
  }
}

/** RFC 8725 §3.11, RFC 9068 §4: the kind is named, exactly, and is the one that the key is for. */
function types (real: Genuine, other: Genuine): Record<string, string> {
  const { typ } = real.header
  const wrong = [
    undefined, null, 0, true, [], [typ], {}, { typ }, '', 'JWT', 'jwt', 'JOSE', 'ID', 'dpop+jwt', 'logout+jwt',
    'application/jwt', `${typ} `, ` ${typ}`, `${typ}\0`, `${typ}\n`, `${typ}; charset=utf-8`,
    `${typ},${other.header.typ}`, `application/${typ} `, `application/application/${typ}`, `/${typ}`, `text/${typ}`,
    `x${typ}`, typ.replace('+', '-'), typ.replace('+', ' '), typ.replace('t+', 'ｔ+'), typ.slice(0, -1),
    '__proto__', other.header.typ, `application/${other.header.typ}`,
  ]
  return each(wrong, (typ) => withHeader(real, { typ }))
}

/** The claims of one kind under the name of the other: with a key for both kinds, the signature is right. */
function swappedKinds ({ header, payload, mint }: Genuine, other: Genuine): Record<string, string> {
  return {
    "the other kind's claims": mint(header, other.payload),
    "the other kind's claims, in the other's name too": mint(
      { ...header, typ: `application/${other.header.typ}` },
      other.payload
    ),
    "the other kind's claims and id": mint(header, { ...payload, jti: other.payload.jti, exp: other.payload.exp }),
  }
}

/** Really signed: a header that is no JSON object, or not in UTF-8, or says a thing twice, the last time wrongly. */
function headerShapes ({ header, payload, mint }: Genuine, other: Genuine): Record<string, string> {
  const text = JSON.stringify(header)
  const open = text.slice(0, -1)
  const shapes: Record<string, string | Buffer> = {
    'an array': JSON.stringify([header]),
    'a string': JSON.stringify(text),
    null: 'null',
    'a number': '1',
    'an empty object': '{}',
    unfinished: open,
    'followed by a letter': `${text}x`,
    'followed by NUL': `${text}\0`,
    'after a byte order mark': `\ufeff${text}`,
    'in UTF-16': Buffer.from(text, 'utf16le'),
    'with invalid UTF-8': Buffer.concat([Buffer.from(`${open},"x":"`), Buffer.from([0xff]), Buffer.from('"}')]),
    'with single quotes': text.replaceAll('"', "'"),
    'with a comment': `/**/${text}`,
    'alg twice': `${open},"alg":"none"}`,
    'typ twice': `${open},"typ":"${other.header.typ}"}`,
    'kid twice': `${open},"kid":"x"}`,
    'all in its prototype': `{"__proto__":${text}}`,
    'longer than any of ours': `${open},"x":"${'x'.repeat(4000)}"}`,
  }
  return Object.fromEntries(Object.entries(shapes).map(([what, shape]) => [what, mint(shape, payload)]))
}

/** RFC 7519 §1: three segments in the compact form, and nothing else. */
function structures ({ token, header }: Genuine, other: Genuine): Record<string, string> {
  const [head, body, tail] = segmentsOf(token)
  const jwe = (more: object) => `${encode({ ...header, ...more })}..${encode('iv')}.${body}.${tail}`

  return {
    nothing: '',
    'a word': 'token',
    'the word null': 'null',
    'the word undefined': 'undefined',
    'an object': '{}',
    'one dot': '.',
    'two dots': '..',
    'three dots': '...',
    'one segment': head,
    'two segments': `${head}.${body}`,
    'two segments and a dot': `${head}.${body}.`,
    'four segments': `${token}.${tail}`,
    'five segments': `${token}.${tail}.${tail}`,
    'a dot before it': `.${token}`,
    'a dot after it': `${token}.`,
    'two dots in the middle': `${head}..${body}.${tail}`,
    'no header': `.${body}.${tail}`,
    'no payload': `${head}..${tail}`,
    'no header, no payload': `..${tail}`,
    'payload first': `${body}.${head}.${tail}`,
    'twice in a row': token + token,
    'twice with a comma': `${token},${token}`,
    'two with a space': `${token} ${other.token}`,
    quoted: `"${token}"`,
    'in angle brackets': `<${token}>`,
    'with its scheme': `Bearer ${token}`,
    'with dots as %2E': token.replaceAll('.', '%2E'),
    'with commas for dots': token.replaceAll('.', ','),
    'with wide dots': token.replaceAll('.', '．'),
    'with a query': `${token}?x=1`,
    'with a fragment': `${token}#x`,
    'with unencoded JSON': `${JSON.stringify(header)}.${body}.${tail}`,
    'flattened JSON': JSON.stringify({ payload: body, protected: head, signature: tail }),
    'general JSON': JSON.stringify({ payload: body, signatures: [{ protected: head, signature: tail }] }),
    'JSON with an unprotected header': JSON.stringify({ payload: body, header, signature: tail }),
    'encoded as a whole': encode(token),
    'JWE, dir': jwe({ alg: 'dir', enc: 'A256GCM' }),
    'JWE, dir, of no kind': jwe({ alg: 'dir', enc: 'A256GCM', typ: undefined, kid: undefined }),
    'JWE, zipped': jwe({ alg: 'dir', enc: 'A256GCM', zip: 'DEF' }),
    'JWE, a billion passes': jwe({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 1e9, p2s: 'x' }),
    'longer than any of ours': `${head}.${'A'.repeat(9000)}.${tail}`,
  }
}

/** RFC 7515 §2, RFC 4648 §3: the URL alphabet, no padding, nothing between the characters. */
function alphabets (real: Genuine): Record<string, string> {
  const { token, header, payload, seal, kind, signer } = real
  const [head, body, tail] = segmentsOf(token)
  const input = `${head}.${body}`
  const middle = tail.length >> 1
  const inside = (text: string) => `${input}.${tail.slice(0, middle)}${text}${tail.slice(middle)}`
  const signed = (text: string) => `${input}.${signer.sign[kind](text).toString('base64url')}`
  const strange = ['=', '==', ' ', '\n', '\r\n', '\t', '\0', '+', '/', '?', '%', '%20', '\u00a0', '\u200b', 'é']

  return {
    ...each([...strange, '-', '_', 'A', 'AA', 'AAAA'], (text) => token + text, 'after the signature, '),
    ...each([...strange, '!', '.', '*', 'A'], inside, 'within the signature, '),
    ...each([' ', '\n', '\t', '\0', '\ufeff', '=', 'A'], (text) => text + token, 'before the header, '),
    ...each(['=', ' ', '\n', '?', '\0'], (text) => seal(head + text, body), 'after the header, signed, '),
    ...each(['=', '==', ' ', '\n', '?', '\0'], (text) => seal(head, body + text), 'after the payload, signed, '),
    ...each([1, 2, 3, 4, 11, 22, 42], (count) => token.slice(0, -count), 'a signature short of its last, '),
    ...standardAlphabets(real),
    'header padded and wrapped, signed': seal(wrapped(header), body),
    'payload padded and wrapped, signed': seal(head, wrapped(payload)),
    'payload in hex, signed': seal(head, Buffer.from(JSON.stringify(payload)).toString('hex')),
    'signature in hex': `${input}.${Buffer.from(tail, 'base64url').toString('hex')}`,
    'signature backwards': `${input}.${[...tail].reverse().join('')}`,
    'signature twice': `${token}${tail}`,
    'signature of one character': `${input}.A`,
    'signature in lower case': `${input}.${tail.toLowerCase()}`,
    'signature of the payload alone': signed(body),
    'signature without the dot': signed(head + body),
    'signature of the decoded texts': signed(JSON.stringify(header) + JSON.stringify(payload)),
  }
}

function wrapped (part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64').replaceAll(/.{76}/g, '$&\n')
}

/** `+` for `-` and `/` for `_`, as the alphabet of RFC 4648 §4 has them: the bytes are the right ones. */
function standardAlphabets (real: Genuine): Record<string, string> {
  const { header, payload, seal } = real
  const standard = (text: string) => text.replaceAll('-', '+').replaceAll('_', '/')
  let token = real.token
  for (let n = 0; !/-[^.]*_[^.]*$/.test(token); n++) token = withClaims(real, { n })
  const [head, body, tail] = segmentsOf(token)

  return {
    'signature with + and /': `${head}.${body}.${standard(tail)}`,
    'signature with + and / and =': `${head}.${body}.${standard(tail)}=`,
    'payload with + and /, signed': seal(encode(header), standard(encode({ x: '~~~???>>>ÿÿÿ', ...payload }))),
    'header with + and /, signed': seal(standard(encode({ x: '~~~???>>>ÿÿÿ', ...header })), encode(payload)),
  }
}

/** RFC 7519 §7.2: one JSON object in UTF-8. All of them are really signed. */
function payloadShapes ({ header, payload, mint }: Genuine): Record<string, string> {
  const text = JSON.stringify(payload)
  const open = text.slice(0, -1)
  const within = (...bytes: number[]) =>
    Buffer.concat([Buffer.from(`${open},"x":"`), Buffer.from(bytes), Buffer.from('"}')])
  const shapes: Record<string, string | Buffer> = {
    'an empty array': '[]',
    'an array of claims': JSON.stringify([payload]),
    'an array of pairs': JSON.stringify(Object.entries(payload)),
    'a string': '"claims"',
    'a string of JSON': JSON.stringify(text),
    'a number': '1',
    zero: '0',
    null: 'null',
    true: 'true',
    false: 'false',
    'an empty object': '{}',
    'no JSON': 'claims',
    'a space': ' ',
    'a byte order mark before it': `\ufeff${text}`,
    'UTF-16, little end first': Buffer.from(text, 'utf16le'),
    'UTF-16 with its mark': Buffer.from(`\ufeff${text}`, 'utf16le'),
    'UTF-16, big end first': Buffer.from(text, 'utf16le').swap16(),
    'a byte that is no UTF-8': within(0xff),
    'a lone continuation byte': within(0x80),
    'an overlong slash': within(0xc0, 0xaf),
    'an encoded surrogate': within(0xed, 0xa0, 0x80),
    'a character cut short': within(0xe2, 0x82),
    'a line feed in a string': within(0x0a),
    'followed by a letter': `${text}x`,
    'followed by NUL': `${text}\0`,
    'followed by another': text + text,
    'followed by a comma': `${text},`,
    'preceded by NUL': `\0${text}`,
    unfinished: open,
    'with a last comma': `${open},}`,
    'with single quotes': text.replaceAll('"', "'"),
    'with a comment': `${text}//`,
    'with NaN': `${open},"exp":NaN}`,
    'with Infinity': `${open},"exp":Infinity}`,
    'with a hexadecimal number': `${open},"iat":0x1}`,
    'one level down': JSON.stringify({ payload }),
    'all in its prototype': `{"__proto__":${text}}`,
    'a thousand brackets': '['.repeat(3000),
  }
  return Object.fromEntries(Object.entries(shapes).map(([what, shape]) => [what, mint(header, shape)]))
}

function missingClaims (real: Genuine): Record<string, string> {
  return {
    ...each(Object.keys(real.payload), (claim) => withClaims(real, { [claim]: undefined })),
    'all times': withClaims(real, { iat: undefined, exp: undefined }),
    'all but the user': real.mint(real.header, { sub: real.payload.sub }),
  }
}

/** A value stands for itself, a `raw` one for JSON that no program writes. `1e999` is Infinity once it is read. */
function typesOfClaims (real: Genuine): Record<string, string> {
  const integers = ['gen', 'ver']
  const nbf = { ...real, payload: { ...real.payload, nbf: real.payload.iat } }

  return Object.assign({}, ...Object.entries(nbf.payload).map(([claim, value]) => {
    const others =
      typeof value === 'string'
        ? [42, ...(claim === 'aud' ? [] : [[value]])]
        : [
            String(value),
            [value],
            `${value}s`,
            new Date(0).toISOString(),
            ...(integers.includes(claim) ? [1.5, 2 ** 31] : []),
          ]
    return {
      ...each([null, true, false, [], {}, '', ' ', -1, 1e300, { value }, ...others].filter((wrong) => wrong !== value),
        (wrong) => withClaims(real, { [claim]: wrong }), `${claim} `),
      [`${claim} 1e999`]: withRawClaim(real, claim, '1e999'),
      [`${claim} -1e999`]: withRawClaim(real, claim, '-1e999'),
    }
  }))
}

/** Compared whole, and case by case (RFC 8725 §3.8-3.9). */
function parties (real: Genuine): Record<string, string> {
  return Object.assign({}, ...['iss', 'aud'].map((claim) => {
    const ours: string = real.payload[claim]
    const like = [
      ours.slice(0, -1), ours.slice(1), `${ours}x`, `x${ours}`, `${ours}.evil.example`, `${ours}/`, `/${ours}`,
      `${ours} `, ` ${ours}`, `${ours}\n`, `${ours}\0`, `${ours},evil`, `https://${ours}`, ours.toUpperCase(),
      ours[0]!.toUpperCase() + ours.slice(1), ours.replace('a', '\u0430'), ours.replace('-', '.'), 'evil', '*', '.*',
      '__proto__', 'x'.repeat(3000), { [ours]: true }, { $eq: ours }, [[ours]],
    ]
    const lists = claim === 'iss'
      ? [[ours, 'evil'], ['evil', ours]]
      : [['evil'], [`${ours}x`, ours.toUpperCase()], [ours, 1], [ours, null], [ours, [ours]], { 0: ours, length: 1 }]
    return each([...like, ...lists], (value) => withClaims(real, { [claim]: value }), `${claim} `)
  }))
}

/** What goes to the database is a UUID as we write it, and no object of operators. */
function ids (real: Genuine): Record<string, string> {
  return Object.assign({}, ...['sub', 'sid'].map((claim) => {
    const ours: string = real.payload[claim]
    const wrong: unknown[] = [
      { $ne: null }, { $gt: '' }, { $in: [ours] }, { $or: [] }, { id: ours }, { toString: ours }, [ours, ours],
      [{ $ne: null }], '\0', `${ours}\0`, `${ours}\n`, `${ours} `, ` ${ours}`, `{${ours}}`, `urn:uuid:${ours}`,
      ours.toUpperCase(), ours.replaceAll('-', ''), ours.slice(0, -1), `${ours}0`, ours.replace(/.$/, 'g'),
      ours.replace('0', '０'), '%', '*', '_'.repeat(36), '0'.repeat(36), 'x'.repeat(3000), 'null', 'ada', 'not a uuid',
      "' OR '1'='1", '1; DROP TABLE accounts_users',
    ]
    return each(wrong, (value) => withClaims(real, { [claim]: value }), `${claim} `)
  }))
}

/**
 * A life that we could not have given, or one that has not begun. What is merely over, or of a clock ahead, is no
 * forgery.
 */
function times (real: Genuine): Record<string, string> {
  const { iat, exp } = real.payload
  const life = exp - iat

  return {
    'issued in 1970': withClaims(real, { iat: 0 }),
    'issued in milliseconds': withClaims(real, { iat: iat * 1000 }),
    'ends in milliseconds': withClaims(real, { exp: exp * 1000 }),
    'both in milliseconds': withClaims(real, { iat: iat * 1000, exp: exp * 1000 }),
    'both in milliseconds, a usual life': withClaims(real, { iat: iat * 1000, exp: iat * 1000 + life }),
    'ends before it was issued': withClaims(real, { exp: iat - 1 }),
    'ends long before it was issued': withClaims(real, { exp: 1 }),
    'ends a second too late': withClaims(real, { iat: iat - 60, exp: iat - 60 + life + 1 }),
    'ends a year too late': withClaims(real, { exp: exp + 31536000 }),
    'ends in 9999': withClaims(real, { exp: 253402300799 }),
    'ends at the largest integer': withClaims(real, { exp: Number.MAX_SAFE_INTEGER }),
    'begins in an hour': withClaims(real, { nbf: iat + 3600 }),
    'begins in ten minutes': withClaims(real, { nbf: iat + 600 }),
    'begins in milliseconds': withClaims(real, { nbf: iat * 1000 }),
    'begins at its end': withClaims(real, { nbf: exp }),
    ...real.kind === 'access' && { 'issued in an hour, with the old end': withClaims(real, { iat: iat + 3600 }) },
    ...real.kind === 'access' && { 'signed in ten minutes from now': withClaims(real, { auth_time: iat + 600 }) },
  }
}

/** Claims that stand twice, the last time wrongly: that one counts (RFC 7519 §4). */
function duplicates (real: Genuine): Record<string, string> {
  const open = JSON.stringify(real.payload).slice(0, -1)
  const bad = [
    ['iss', '"evil"'], ['aud', '"evil"'], ['sub', '""'], ['sid', '""'], ['gen', '-1'], ['ver', '-1'], ['jti', '""'],
    ['iat', '9e9'], ['exp', '1'], ['\\u0065xp', '1'], ['nbf', '9e9'],
    ...real.kind === 'access' ? [['auth_time', '""']] : [],
  ]
  return Object.fromEntries(bad.map(([claim, value]) =>
    [claim, real.mint(real.header, `${open},"${claim}":${value}}`)]))
}

/** Parts of one genuine token in another, of its own kind or of the other one. */
function mixtures (real: Genuine, other: Genuine): Record<string, string> {
  const [head, body, tail] = segmentsOf(real.token)
  const [otherHead, otherBody, otherTail] = segmentsOf(other.token)
  const edited = (change: object) => `${head}.${encode({ ...real.payload, ...change })}.${tail}`

  return {
    "the other kind's signature": `${head}.${body}.${otherTail}`,
    "the other kind's payload": `${head}.${otherBody}.${tail}`,
    "the other kind's header": `${otherHead}.${body}.${tail}`,
    'an older issue, the signature kept': edited({ iat: real.payload.iat - 1 }),
    'a later end, the signature kept': edited({ exp: real.payload.exp + 1 }),
    'the next generation, the signature kept': edited({ gen: real.payload.gen + 1 }),
    'another user, the signature kept': edited({ sub: real.payload.sid }),
    'another session, the signature kept': edited({ sid: real.payload.sub }),
    'one claim more, the signature kept': edited({ role: 'admin' }),
  }
}

function bitFlips ({ token }: Genuine): Record<string, string> {
  const segments = segmentsOf(token)
  const every = [7, 23, 3]

  return Object.assign({}, ...['header', 'payload', 'signature'].map((name, at) => {
    const bytes = Buffer.from(segments[at]!, 'base64url')
    const places = [...bytes.keys()].filter((place) => place % every[at]! === 0)
    return Object.fromEntries(places.map((place) => {
      const flipped = Buffer.from(bytes)
      flipped[place]! ^= 1 << (place % 8)
      return [`byte ${place} of the ${name}`, segments.with(at, flipped.toString('base64url')).join('.')]
    }))
  }))
}
