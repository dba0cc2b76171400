import { test } from 'tap'
import { hashOfRecoveryCode, newRecoveryCode, readRecoveryCode } from '../../../lib/features/recovery-codes/code.ts'

test('a new code has 23 random characters in groups of five', (t) => {
  const codes = Array.from({ length: 1000 }, newRecoveryCode)
  for (const code of codes) t.match(code, /^([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{3}$/)
  t.equal(new Set(codes).size, 1000)
  t.equal(new Set(codes.join('').replaceAll('-', '')).size, 32, 'each character comes up')
  t.end()
})

test('a code is read in any case, with blanks and hyphens anywhere, and O, I and L for digits', (t) => {
  const code = '7ZK3M-Q9XWV-0TB4H-N1D8R-6JC'
  const read = '7ZK3MQ9XWV0TB4HN1D8R6JC'
  for (const typed of [
    code, read, code.toLowerCase(), ` ${code.replaceAll('-', ' ')} `, code.replaceAll('-', '\u{2014}'),
    code.replace('0', 'o').replace('1', 'l'), code.replace('0', 'O').replace('1', 'I'),
    code.replaceAll(/[0-9]/g, (digit) => String.fromCodePoint(digit.codePointAt(0)! + 0xFEE0)),
  ]) t.equal(readRecoveryCode(typed), read, typed)
  t.equal(readRecoveryCode(newRecoveryCode())?.length, 23)
  t.end()
})

test('what is no code is none', (t) => {
  for (const typed of ['', '123456', '7ZK3M-Q9XWV-0TB4H-N1D8R-6J', '7ZK3M-Q9XWV-0TB4H-N1D8R-6JCC', '7ZK3M-Q9XWV-0TB4H-N1D8R-6JU']) {
    t.equal(readRecoveryCode(typed), undefined, typed)
  }
  t.end()
})

test('of one code each user has another hash', (t) => {
  t.not(hashOfRecoveryCode('a', 'code'), hashOfRecoveryCode('b', 'code'))
  t.match(hashOfRecoveryCode('a', 'code'), /^[0-9a-f]{64}$/)
  t.end()
})
