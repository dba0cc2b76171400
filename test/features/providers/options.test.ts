import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import accounts, { type AccountsOptions } from '../../../lib/index.ts'
import { google } from '../../../lib/providers.ts'
import { fakeProvider } from '../../../lib/testing.ts'
import { build, decode, secret } from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'

const provider = google({ clientId: 'shop', clientSecret: 'secret' })
const url = 'https://app.example.com'

async function refusal (options: object): Promise<string> {
  const app = Fastify()
  const error = await app.register(accounts, { db: ':memory:', secret, ...options }).then(() => undefined, (error) => error)
  await app.close()
  return error?.message ?? 'none'
}

t.test('options that are none are refused, and say what they must be', async (t) => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const wrong: [options: object, message: RegExp | string][] = [
    [{ providers: [provider] }, /providerFlow.url is needed/],
    [{ providers: [provider, provider], providerFlow: { url } }, /different ids/],
    [{ providers: [{}], providerFlow: { url } }, /providers must be a list of what fastify-jwt-accounts\/providers makes/],
    [{ providers: provider, providerFlow: { url } }, /providers must be a list/],
    [{ providers: [null], providerFlow: { url } }, /providers must be a list/],
    [{ providers: [provider], providerFlow: { url }, secret: { private: privateKey } }, /providers needs encryptionKey/],
    [{ linking: 'always' }, /linking/],
    ...['http://app.example.com', 'https://app.example.com/', 'https://app.example.com/api/', 'app.example.com', 'https://a.example?x',
      'https://a.example#x', 'https://u@a.example', 'ftp://a.example'].map((url): [object, RegExp] =>
      [{ providers: [provider], providerFlow: { url } }, /providerFlow.url .*must be a URL/]),
    ...['/path', 'http://shop.example.com/in', 'https://shop.example.com/in?x=1', 'https://shop.example.com/in#x',
      'https://u@shop.example.com/in', 'javascript:alert(1)', 'data:text/html,x', 'myapp:/in'].map((each): [object, RegExp] =>
      [{ providerFlow: { returnTo: [each] } }, /must be a URL with https/]),
  ]
  for (const [options, message] of wrong) t.match(await refusal(options), message, `${message}`)
  for (const good of ['https://app.example.com', 'https://app.example.com/api', 'http://localhost:3000', 'http://127.0.0.1:3000']) {
    t.equal(await refusal({ providers: [provider], providerFlow: { url: good } }), 'none', good)
  }
  for (const good of ['https://shop.example.com/in', 'http://localhost:5173/in', 'com.example.app:/in']) {
    t.equal(await refusal({ providerFlow: { returnTo: [good] } }), 'none', good)
  }
  t.equal(await refusal({ providers: [provider], passkeys: { origins: [url] } }), 'none', 'a page of passkeys is one of the app')
  t.equal(await refusal({
    providers: [provider], providerFlow: { url }, secret: { private: privateKey }, encryptionKey: secret,
  }), 'none')
  const { publicKey } = generateKeyPairSync('ed25519')
  t.equal(await refusal({ providers: [provider], providerFlow: { url }, secret: { public: publicKey } }), 'none',
    'who only verifies has no routes of it')
})

t.test('with the option off there are no routes, no services and no claims of it', async (t) => {
  const { app, signUp, get } = await build(t, { providers: [], transport: 'both' })
  t.equal((await get('/auth/providers')).statusCode, 404)
  t.equal((await get('/auth/identities')).statusCode, 404)
  t.notOk('identities' in app.accounts)
  t.notOk('amr' in decode((await signUp()).access_token).payload)
})

t.test('a provider alone brings no second factors', async (t) => {
  const { app, get } = await build(t, { providers: [provider], providerFlow: { url } })
  t.equal((await get('/auth/factors')).statusCode, 404)
  t.notOk('factors' in app.accounts)
})

t.test('the callback is below the prefix of the app, where a proxy shows it', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const options: AccountsOptions = {
    db: ':memory:',
    secret,
    providers: [fakeProvider().provider],
    providerFlow: { url: 'https://app.example.com/api' },
    prefix: '/id',
    routes: { providers: '/by' },
  }
  await app.register(async (child) => { await child.register(accounts, options) }, { prefix: '/v1' })
  const response = await app.inject({
    method: 'POST', url: '/v1/id/by/fake/authorize', payload: { code_challenge: 'x'.repeat(43) },
  })
  t.equal(new URL(response.json().authorization_url).searchParams.get('redirect_uri'),
    'https://app.example.com/api/v1/id/by/fake/callback')
})

t.test('without the package the app does not start, and says what to install; any other failure is what it is', (t) => {
  const start = (...given: string[]) => spawnSync(process.execPath,
    [join(import.meta.dirname, '..', '..', 'support', 'without-openid-client.ts'), ...given], { encoding: 'utf8' })
  t.match(start().stderr, /providers needs the package openid-client: npm install openid-client/)
  t.match(start('It is broken').stderr, /Error: It is broken/)
  t.end()
})

t.test('the package is loaded where a provider is there, and nowhere else', (t) => {
  const start = (given: string) => spawnSync(process.execPath,
    [join(import.meta.dirname, '..', '..', 'support', 'without-openid-client.ts'), '', given], { encoding: 'utf8' })
  t.equal(start('none').status, 0)
  t.end()
})

t.test('fakeProvider is for tests alone', (t) => {
  process.env.NODE_ENV = 'production'
  t.teardown(() => { delete process.env.NODE_ENV })
  t.throws(() => fakeProvider(), { code: 'ACCOUNTS_OPTIONS_INVALID' })
  t.end()
})

t.test('the log has the callback without its query', async (t) => {
  const lines: string[] = []
  const { get } = await build(t, { providers: [provider], providerFlow: { url } }, {
    logger: { level: 'info', stream: { write (line: string) { lines.push(line) } } },
  })
  await get('/auth/providers/google/callback?code=secret-code&state=secret-state')
  t.match(lines.join(''), '"url":"/auth/providers/google/callback"')
  t.notMatch(lines.join(''), /secret-/)
})
