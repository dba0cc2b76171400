import { constants, createHash, privateEncrypt, sign } from 'node:crypto'
import t from 'tap'
import { build } from '../support/build.ts'
import { genuine, signers, type Kind } from './signer.ts'

const [rs256, ps256] = [signers.RS256!, signers.PS256!]
const size = 256

/** RSA as it is, over a block of the key's size: what padding would have to forbid. */
const raw = (key: typeof rs256.privateKey & {}, block: Buffer) =>
  privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, block)

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const oids = {
  sha256: '608648016503040201',
  sha1: '2b0e03021a',
  sha384: '608648016503040202',
  sha512: '608648016503040203',
}

/** A DER element with its length in the short form, or as it is given. */
const der = (tag: number, content: Buffer, length = Buffer.from([content.length])) =>
  Buffer.concat([Buffer.from([tag]), length, content])
const oid = (hash: keyof typeof oids) => der(6, hex(oids[hash]))
const nothing = hex('0500')

/** RFC 8017 §9.2: 00 01, as many FF as there is room for, 00, and what was hashed how. */
function block (info: Buffer, { start = '0001', fill = 0xff, end = '00', after = Buffer.alloc(0) } = {}): Buffer {
  const room = size - hex(start).length - hex(end).length - info.length - after.length
  return Buffer.concat([hex(start), Buffer.alloc(room, fill), hex(end), info, after])
}

/** Blocks over the right hash that an open-minded reader would take for the one that is right. */
function blocksOf (input: string): Record<string, Buffer> {
  const digest = (hash: string) => createHash(hash).update(input).digest()
  const hash = digest('sha256')
  const info = (algorithm: Buffer, octets = der(4, hash)) => der(0x30, Buffer.concat([algorithm, octets]))
  const algorithm = der(0x30, Buffer.concat([oid('sha256'), nothing]))
  const right = info(algorithm)
  const content = Buffer.concat([algorithm, der(4, hash)])
  const garbage = (count: number) => Buffer.alloc(count, 0x5a)

  return {
    right: block(right),
    'bytes after the hash': block(right, { after: garbage(20) }),
    'bytes after the hash, eight FF before it': Buffer.concat([
      hex('0001'),
      Buffer.alloc(8, 0xff),
      hex('00'),
      right,
      garbage(size - 11 - right.length),
    ]),
    'bytes after the hash, no FF before it': Buffer.concat([hex('000100'), right, garbage(size - 3 - right.length)]),
    'zeros after the hash': block(right, { after: Buffer.alloc(20) }),
    'bytes within the algorithm': block(info(der(0x30, Buffer.concat([oid('sha256'), nothing, garbage(20)])))),
    'bytes for the parameters': block(info(der(0x30, Buffer.concat([oid('sha256'), der(4, garbage(20))])))),
    'another NULL': block(info(der(0x30, Buffer.concat([oid('sha256'), nothing, nothing])))),
    'a NULL with a content': block(info(der(0x30, Buffer.concat([oid('sha256'), hex('050100')])))),
    'a long length outside': block(der(0x30, content, Buffer.from([0x81, content.length]))),
    'a longer length outside': block(der(0x30, content, Buffer.from([0x82, 0, content.length]))),
    'a length without an end': block(Buffer.concat([hex('3080'), content, hex('0000')])),
    'a long length of the hash': block(info(algorithm, der(4, hash, Buffer.from([0x81, 32])))),
    'a hash in parts': block(info(algorithm, der(0x24, der(4, hash)))),
    'a hash cut short': block(info(algorithm, der(4, hash.subarray(0, 20)))),
    'a hash in hex': block(info(algorithm, der(4, Buffer.from(hash.toString('hex'))))),
    'the hash alone': block(hash),
    'the text alone': block(Buffer.from(input).subarray(0, 100)),
    ...Object.fromEntries(
      (['sha1', 'sha384', 'sha512'] as const).map((name) => [
        `${name}, rightly named`,
        block(info(der(0x30, Buffer.concat([oid(name), nothing])), der(4, digest(name)))),
      ])
    ),
    'sha1 by name, sha256 in truth': block(info(der(0x30, Buffer.concat([oid('sha1'), nothing])))),
    'block type 0': block(right, { start: '0000', fill: 0 }),
    'block type 2': block(right, { start: '0002', fill: 0x5a }),
    'a first byte of 1': block(right, { start: '0101' }),
    'zeros for FF': block(right, { fill: 0 }),
    'FE for FF': block(right, { fill: 0xfe }),
    'no zero before the hash': block(right, { end: 'ff' }),
    'two zeros before the hash': block(right, { end: '0000' }),
    'one FF less, shifted': Buffer.concat([
      hex('000001'),
      Buffer.alloc(size - 4 - right.length, 0xff),
      hex('00'),
      right,
    ]),
  }
}

t.test(
  'a signature of RSA counts with exactly its padding, though its own key made it (RFC 8017 §8.2.2)',
  async (t) => {
    const { get, post, signUp } = await build(t, { secret: rs256.option! })
    const pair = await signUp()

    for (const kind of ['access', 'refresh'] as Kind[]) {
      const { header, payload, mint } = genuine(kind, pair[`${kind}_token`], rs256)
      const statuses = await Promise.all(
        Object.keys(blocksOf('')).map(async (what) => {
          const token = mint(header, payload, (input) => raw(rs256.privateKey!, blocksOf(input)[what]!))
          return [
            what,
            (kind === 'access' ? await get('/auth/me', token) : await post('/with-refresh', {}, token)).statusCode,
          ] as const
        })
      )
      t.strictSame(
        statuses.filter(([, status]) => status !== 401),
        [['right', 200]],
        kind
      )
    }
  }
)

t.test('a signature of PS256 has a salt of exactly 32 bytes, and one hash throughout (RFC 7518 §3.5)', async (t) => {
  const { get, signUp } = await build(t, { secret: ps256.option! })
  const { header, payload, mint } = genuine('access', (await signUp()).access_token, ps256)
  const pss = (saltLength: number, hash = 'sha256') => mint(header, payload, (input) =>
    sign(hash, Buffer.from(input), { key: ps256.privateKey!, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }))

  t.equal((await get('/auth/me', pss(32))).statusCode, 200)
  for (const salt of [0, 1, 20, 31, 33, 48, 64, 222]) { t.equal((await get('/auth/me', pss(salt))).statusCode, 401, `a salt of ${salt} bytes`) }
  for (const hash of ['sha1', 'sha384', 'sha512']) t.equal((await get('/auth/me', pss(32, hash))).statusCode, 401, hash)
})
