import { createPublicKey } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readKey } from '../../lib/tokens/read-key.ts'
import { build } from '../support/build.ts'
import { cli, json, spawned } from './cli.ts'

t.test('a secret is one that the plugin takes, and another each time', async (t) => {
  const cwd = t.testdir({})
  const [first, second] = await Promise.all([spawned(['secret'], { cwd }), json(['secret'], { cwd })])
  t.equal(Buffer.from(first.stdout, 'base64').length, 48)
  t.equal(typeof readKey(first.stdout), 'object')
  t.equal(typeof readKey(second.secret), 'object')
  t.not(first.stdout, second.secret)
})

t.test('a key is one that the plugin signs with, of every algorithm and in both formats', async (t) => {
  const cwd = t.testdir({})
  for (const algorithm of ['EdDSA', 'ES256', 'ES384', 'ES512', 'RS256', 'PS256'] as const) {
    const { private: pem } = await json(['keys', '--algorithm', algorithm], { cwd })
    t.match(readKey({ private: pem, algorithm }), { algorithm, signs: true })
  }
  const { stdout } = await cli(['keys', '--algorithm', 'PS256', '--format', 'jwk', '--kid', 'next'], { cwd })
  const { app } = await build(t, { secret: { private: JSON.parse(stdout) } })
  t.match((await app.inject('/auth/jwks.json')).json(), { keys: [{ kid: 'next', alg: 'PS256' }] })
})

t.test('a key goes into files that only its owner reads, and never over what is there', async (t) => {
  const cwd = t.testdir({})
  t.match(await cli(['keys', '--out', 'keys'], { cwd }), {
    code: 0,
    stdout: `${join('keys', 'private.pem')}\n${join('keys', 'public.pem')}`,
  })
  const file = join(cwd, 'keys', 'private.pem')
  const pem = readFileSync(file, 'utf8')
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.ok(createPublicKey(pem).equals(createPublicKey(readFileSync(join(cwd, 'keys', 'public.pem')))))

  t.match(await json(['keys', '--out', 'keys'], { cwd }), { code: 1, error: { code: 'ACCOUNTS_REFUSED' } })
  t.equal(readFileSync(file, 'utf8'), pem)
  t.match(await json(['keys', '--out', 'keys', '--format', 'jwk'], { cwd }), {
    code: 0,
    files: [join('keys', 'private.jwk'), join('keys', 'public.jwk')],
  })
  t.notMatch(readFileSync(join(cwd, 'keys', 'public.jwk'), 'utf8'), /"d"/)
})

t.test('a key that nothing could be signed with is not made', async (t) => {
  const cwd = t.testdir({})
  const wrong = [
    ['--algorithm', 'HS256'],
    ['--algorithm', 'toString'],
    ['--format', 'der'],
    ['--kid', 'next'],
    ['--kid', 'not a name', '--format', 'jwk'],
  ]
  const answers = await Promise.all(wrong.map((flags) => json(['keys', ...flags], { cwd })))
  for (const answer of answers) t.match(answer, { code: 2, error: { code: 'ACCOUNTS_USAGE' } })
})
