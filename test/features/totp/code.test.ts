import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'tap'
import { loadCodes, stepOf } from '../../../lib/features/totp/code.ts'
import { stepAt } from '../../../lib/features/totp/step.ts'

/** RFC 6238, appendix B, and RFC 4226, appendix D: the seed of SHA-1, and the last six digits. */
const seed = Buffer.from('12345678901234567890')

test('codes are those of RFC 6238', async (t) => {
  const { codeAt } = await loadCodes()
  const vectors: [seconds: number, code: string][] = [
    [59, '287082'], [1111111109, '081804'], [1111111111, '050471'], [1234567890, '005924'], [2000000000, '279037'],
    [20000000000, '353130'],
  ]
  for (const [seconds, code] of vectors) t.equal(codeAt(seed, stepAt(seconds * 1000)), code)
})

test('codes are those of RFC 4226', async (t) => {
  const { codeAt } = await loadCodes()
  const vectors = ['755224', '287082', '359152', '969429', '338314', '254676', '287922', '162583', '399871', '520489']
  t.same(vectors.map((_, step) => codeAt(seed, step)), vectors)
})

test('a code is taken a step early or late, and none that is not later than the last one', async (t) => {
  const codes = await loadCodes()
  const now = 1111111109_000
  const step = stepAt(now)
  const typedAt = (near: number, after = 0) => stepOf(codes, seed, codes.codeAt(seed, near), { now, after })

  for (const near of [step - 1, step, step + 1]) t.equal(typedAt(near), near)
  for (const far of [step - 2, step + 2]) t.equal(typedAt(far), undefined)
  t.equal(typedAt(step, step), undefined)
  t.equal(typedAt(step + 1, step), step + 1)
})

test('a code may have blanks and hyphens, and digits of any width; what is none is wrong', async (t) => {
  const codes = await loadCodes()
  const read = (typed: string) => stepOf(codes, seed, typed, { now: 59_000, after: 0 })

  for (const typed of ['287082', '287 082', ' 287-082 ', '28 70 82', '287\u{2013}082', '２８７０８２', '２８７　０８２']) {
    t.equal(read(typed), 1, typed)
  }
  for (const typed of ['', '287083', '28708', '2870822', '287O82', '٢٨٧٠٨٢', 'ab', '\u{0}'.repeat(6)]) {
    t.equal(read(typed), undefined, typed)
  }
})

test('an app is told the seed as base32, and by a URI with both names', async (t) => {
  const { secretOf, uriOf } = await loadCodes()
  t.equal(secretOf(seed), 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
  const uri = new URL(uriOf(seed, 'Café & Söhne', 'ada@example.com'))
  t.equal(uri.protocol, 'otpauth:')
  t.equal(decodeURIComponent(uri.pathname), '//totp/Café & Söhne:ada@example.com'.slice(uri.host ? 6 : 0))
  t.match(Object.fromEntries(uri.searchParams), { issuer: 'Café & Söhne', secret: secretOf(seed) })
})

test('without otpauth the app does not start, and says what to install', async (t) => {
  const start = (...given: string[]) => promisify(execFile)(process.execPath, [
    join(import.meta.dirname, '..', '..', 'support', 'without-otpauth.ts'), ...given,
  ]).catch((error) => error)
  t.match((await start()).stderr, /factors needs the package otpauth: npm install otpauth/)
  const { stderr } = await start('It was made for another Node')
  t.match(stderr, /It was made for another Node/)
  t.notMatch(stderr, /npm install/)
})
