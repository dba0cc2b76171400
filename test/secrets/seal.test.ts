import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto'
import t from 'tap'
import { createSeal, keyIdOf, readSealKey, SealBroken, SealKeyMissing } from '../../lib/secrets/seal.ts'

const [newest, older, lost] = ['new', 'old', 'lost'].map((name) => readSealKey(Buffer.from(name.padEnd(32, '.'))))
const place = { purpose: 'totp', table: 'accounts_totp', row: '0197a2c4-0000-7000-8000-000000000001' }
const seal = createSeal([newest!, older!])

const thrownBy = (act: () => unknown): unknown => {
  try {
    return act()
  } catch (error) {
    return error
  }
}
const opening = (text: string, from = seal, where = place) => thrownBy(() => from.open(text, where))

t.test('what is sealed opens again, and no two texts of it are the same', async (t) => {
  for (const plain of ['', 'a', 'ä€𐍈', 'x'.repeat(5000), randomBytes(20)]) {
    const texts = [seal.seal(plain, place), seal.seal(plain, place)]
    for (const text of texts) t.same(seal.open(text, place), { plain: Buffer.from(plain), isOld: false })
    t.not(texts[0], texts[1])
    t.match(texts[0], /^s1\.[\w-]{8}\.[\w-]{16}\.[\w-]{22,}$/)
    t.equal(keyIdOf(texts[0]!), seal.keyId)
  }
})

t.test('a sealed text is AES-256-GCM by a derived key, bound to its place', async (t) => {
  const secret = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex')
  const iv = Buffer.from('cafebabefacedbaddecaf888', 'hex')
  const derive = (purpose: string) =>
    Buffer.from(hkdfSync('sha256', secret, '', `fastify-jwt-accounts/${purpose}/v1`, 32))
  const cipher = createCipheriv('aes-256-gcm', derive('seal'), iv).setAAD(Buffer.from('totp accounts_totp 7'))
  const sealed = Buffer.concat([cipher.update('a seed'), cipher.final(), cipher.getAuthTag()])
  const id = derive('seal-id').toString('base64url').slice(0, 8)
  const text = `s1.${id}.${iv.toString('base64url')}.${sealed.toString('base64url')}`

  t.equal(text, 's1.owX7ddYQ.yv66vvrO263eyviI.BX3WTzcHbfLKMThLBALeA-IFerFhTw', 'as another library has it')
  const { plain, isOld } = createSeal([readSealKey(secret)]).open(text, { ...place, row: '7' })
  t.same([`${plain}`, isOld], ['a seed', false])
})

t.test('what was sealed for one row, table or purpose opens for no other', async (t) => {
  const text = seal.seal('a seed', place)
  const others = [{ row: place.row.replace(/1$/, '2') }, { table: 'other_totp' }, { purpose: 'state' }, { row: '' }]
  for (const other of others) t.type(opening(text, seal, { ...place, ...other }), SealBroken)
})

t.test('what an older key has sealed opens, and says that it is to be sealed anew', async (t) => {
  const text = createSeal([older!]).seal('a seed', place)
  t.same(seal.open(text, place), { plain: Buffer.from('a seed'), isOld: true })
  t.same(createSeal([older!, newest!]).open(text, place).isOld, false)
})

t.test('a key that is not there is told by its id', async (t) => {
  const text = createSeal([lost!]).seal('a seed', place)
  const error = opening(text) as SealKeyMissing
  t.type(error, SealKeyMissing)
  t.match(error, { keyId: lost!.id, name: 'SealKeyMissing', message: new RegExp(lost!.id) })
})

t.test('a text that was changed anywhere does not open', async (t) => {
  const text = seal.seal('a seed', place)
  for (const [at, letter] of [...text].entries()) {
    for (const other of ['A', 'b', '.', '=', ' ', 'é', '']) {
      if (other === letter) continue
      const changed = `${text.slice(0, at)}${other}${text.slice(at + 1)}`
      const thrown = opening(changed)
      // The last letter of a part has bits that say nothing.
      const saysTheSame = bytesOf(changed) === bytesOf(text)
      t.equal(saysTheSame || thrown instanceof SealBroken || thrown instanceof SealKeyMissing, true, changed)
    }
  }
})

t.test('junk is refused as what does not open, and as nothing else', async (t) => {
  const [, , iv, sealed] = seal.seal('a seed', place).split('.')
  const texts = [
    '',
    's1',
    's1...',
    'a seed',
    `s2.${seal.keyId}.${iv}.${sealed}`,
    `s1.${seal.keyId}.${iv}.`,
    `s1.${seal.keyId}.${iv}.${'A'.repeat(21)}`,
    `s1.${seal.keyId}.${iv}.${'A'.repeat(22)}`,
    `s1.${seal.keyId}.${iv}.${'A'.repeat(65_536)}`,
    `s1.${seal.keyId}.${iv}.${'A'.repeat(65_537)}`,
    `s1.${seal.keyId}..${sealed}`,
    `s1.${seal.keyId}.${iv}.${sealed}\n`,
    `\ns1.${seal.keyId}.${iv}.${sealed}`,
    `s1.${seal.keyId}.${iv}.${sealed}.more`,
    '\0'.repeat(60),
    '.'.repeat(100_000),
    randomBytes(60).toString('latin1'),
  ]
  for (const text of texts) t.type(opening(text), SealBroken, text.slice(0, 80))
  for (const text of ['', 's1...', `s1.${seal.keyId}.${iv}`]) t.equal(keyIdOf(text), undefined)
})

/** What the parts of a text decode to. */
function bytesOf (text: string): string {
  const [version, keyId, ...parts] = text.split('.')
  return JSON.stringify([version, keyId, ...parts.map((part) => Buffer.from(part, 'base64url').toString('hex'))])
}
