import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { softPasskey } from '../../../lib/testing.ts'
import { build, secret } from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'
import accounts from '../../../lib/index.ts'
import { defaultName } from '../../../lib/features/passkeys/default-name.ts'
import { siteLabelOf } from '../../../lib/features/passkeys/origins.ts'
import { passkeysOf } from './with-passkeys.ts'

const refusalOf = async (passkeys: unknown): Promise<string> => {
  const app = Fastify()
  try {
    await app.register(accounts, { db: ':memory:', secret, passkeys } as AccountsOptions)
    return ''
  } catch (error) {
    return (error as Error).message
  } finally {
    await app.close()
  }
}

test('passkeys are for pages with TLS, for localhost and for apps, and for no IP address', async (t) => {
  const good = ['https://app.example.com', 'https://app.example.com:8443', 'http://localhost:3000', 'https://localhost']
  for (const origin of good) t.equal(await refusalOf({ origins: [origin] }), '', origin)
  t.equal(await refusalOf({ origins: ['https://a.example', `android:apk-key-hash:${'a'.repeat(43)}`] }), '')
  const bad = ['http://app.example.com', 'https://192.0.2.7', 'https://[::1]', 'https://app.example.com/', 'app.example.com',
    'https://app.example.com/x', 'HTTPS://app.example.com', 'http://127.0.0.1', 'http://a.localhost', 'android:apk-key-hash:a', '', 7]
  for (const origin of bad) t.match(await refusalOf({ origins: ['https://a.example', origin] }), /passkeys\.origins/, `${origin}`)
})

test('what is missing, or does not go together, is said', async (t) => {
  const origin = 'https://app.example.com'
  const related = (count: number) => Array.from({ length: count }, (_, index) => `https://app.site${index}.example`)
  const refused: [passkeys: unknown, said: RegExp][] = [
    [{}, /passkeys\.origins is needed/],
    [{ origins: [] }, /passkeys\.origins/],
    [true, /passkeys must be false, or its options/],
    [{ origins: [`android:apk-key-hash:${'a'.repeat(43)}`] }, /must begin with an origin of a page/],
    [{ origins: [origin], rpId: 'com' }, /passkeys\.rpId/],
    [{ origins: [origin], rpId: 'other.example' }, /passkeys\.rpId/],
    [{ origins: [origin], rpId: 'ample.com' }, /passkeys\.rpId/],
    [{ origins: [origin], rpId: 'https://example.com' }, /passkeys\.rpId/],
    [{ origins: [origin], rpId: '192.0.2.7' }, /passkeys\.rpId/],
    [{ origins: [origin], rpName: '' }, /passkeys\.rpName/],
    [{ origins: [origin], max: 0 }, /passkeys\.max/],
    [{ origins: [origin, ...related(6)], rpId: 'example.com' }, /not be on more than 5 sites/],
  ]
  for (const [passkeys, said] of refused) t.match(await refusalOf(passkeys), said, JSON.stringify(passkeys))
  t.equal(await refusalOf({ origins: [origin, ...related(5), 'https://www.site0.example'], rpId: 'example.com' }), '')
  t.equal(await refusalOf(false), '')
})

test('sites are counted as browsers count them, as far as the shape of a domain says it', (t) => {
  t.equal(siteLabelOf('app.example.com'), 'example')
  t.equal(siteLabelOf('example.co.uk'), 'example')
  t.equal(siteLabelOf('t.co'), 't')
  t.equal(siteLabelOf('localhost'), 'localhost')
  t.end()
})

test('a passkey that nobody has named is called as its authenticator, if that is known', (t) => {
  t.equal(defaultName('bada5566-a7aa-401f-bd96-45619a55120d'), '1Password')
  t.equal(defaultName('00000000-0000-0000-0000-000000000000'), 'Passkey')
  t.end()
})

test('other domains are vouched for at the root, and only where there are some', async (t) => {
  const origins = ['https://app.example.com', 'https://www.example.com', 'https://example.org']
  const { app } = await build(t, { passkeys: { origins, rpId: 'example.com' } })
  const answer = await app.inject('/.well-known/webauthn')
  t.same(answer.json(), { origins: ['https://example.org'] })
  t.match(answer.headers['content-type'], /^application\/json/)
  const alone = await build(t, { passkeys: { origins: origins.slice(0, 2), rpId: 'example.com' } })
  t.equal((await alone.app.inject('/.well-known/webauthn')).statusCode, 404)

  const { send, ask } = passkeysOf(app)
  const settings = { origin: 'https://example.org' }
  const key = softPasskey(settings)
  const { options, enrolment } = await ask({ for: 'register', username: 'eve' })
  const made = await send('POST', '/register', undefined, { username: 'eve', enrolment, credential: key.create(options) })
  t.equal(made.statusCode, 201, 'a passkey of the other domain')
})

test('below a prefix of the app the path cannot be at the root, which is said; two accounts share it', async (t) => {
  const lines: string[] = []
  const app = Fastify({ logger: { level: 'warn', stream: { write: (line: string) => lines.push(line) } } })
  t.teardown(() => app.close())
  const passkeys = { origins: ['https://example.com', 'https://example.org'] }
  const given = { db: ':memory:', secret, passkeys }
  await app.register(async (scope) => { await scope.register(accounts, { ...given, name: 'inner' }) }, { prefix: '/v1' })
  await app.register(accounts, given)
  await app.register(accounts, { ...given, name: 'staff', prefix: '/staff' })
  t.match(lines.join(), /Browsers look for \/\.well-known\/webauthn at the root, and these accounts are below \/v1/)
  t.equal((await app.inject('/.well-known/webauthn')).statusCode, 200)
})

test('where the package is missing the app does not start, and says what to install', async (t) => {
  const run = (...given: string[]) => spawnSync(process.execPath,
    [join(import.meta.dirname, '..', '..', 'support', 'without-simplewebauthn.ts'), ...given], { encoding: 'utf8' })
  const { status, stderr } = run()
  t.equal(status, 1)
  t.match(stderr, /passkeys needs the package @simplewebauthn\/server: npm install @simplewebauthn\/server/)
  t.match(run('a broken disk').stderr, /a broken disk/)
})

test('without the option nothing of it is there', async (t) => {
  const { app } = await build(t)
  t.equal((await app.inject({ method: 'POST', url: '/auth/passkeys/options', payload: { for: 'login' } })).statusCode, 404)
  t.equal(app.accounts.passkeys, undefined)
})
