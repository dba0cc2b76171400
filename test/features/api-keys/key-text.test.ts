import { test } from 'tap'
import { v7 as uuid } from 'uuid'
import { createKeyTexts, hashOf } from '../../../lib/features/api-keys/key-text.ts'

const texts = createKeyTexts('fja')

test('a key has its prefix, and 71 letters and digits', (t) => {
  const id = uuid()
  const { key, hash, hint } = texts.make(id)
  t.match(key, /^fja_[0-9A-Za-z]{71}$/)
  t.equal(texts.idOf(key), id)
  t.equal(hash, hashOf(key))
  t.ok(key.endsWith(hint))
  t.equal(hint.length, 4)
  t.end()
})

test('any id comes back out of its key', (t) => {
  const edges = ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff']
  for (const id of [...edges, ...Array.from({ length: 50 }, () => uuid())]) {
    t.equal(texts.idOf(texts.make(id).key), id)
  }
  t.end()
})

test('two keys of one id have nothing in common but that', (t) => {
  const id = uuid()
  const [one, other] = [texts.make(id).key, texts.make(id).key]
  t.equal(one.slice(0, 26), other.slice(0, 26))
  t.not(one.slice(26), other.slice(26))
  t.end()
})

test('a typo in any place is no key', (t) => {
  const { key } = texts.make(uuid())
  for (let place = 0; place < key.length; place++) {
    const sign = key[place] === 'x' ? 'y' : 'x'
    t.equal(texts.idOf(`${key.slice(0, place)}${sign}${key.slice(place + 1)}`), undefined)
  }
  for (const text of ['', 'fja_', `${key}x`, key.slice(1), key.toUpperCase(), ` ${key}`, `${key}\n`]) {
    t.equal(texts.idOf(text), undefined)
  }
  t.end()
})

test('a key of another prefix is none, and neither is an id that no UUID has', (t) => {
  const { key } = createKeyTexts('shop').make(uuid())
  t.equal(texts.isMeant(key), false)
  t.equal(texts.idOf(key), undefined)

  // Forged: more than 128 bits in the place of the id, with a checksum that is right.
  const forged = createKeyTexts('fja').make(`03${'f'.repeat(32)}`)
  t.equal(texts.idOf(forged.key), undefined)
  t.end()
})
