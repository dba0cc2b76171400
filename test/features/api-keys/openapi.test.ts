import { test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { documentOf } from '../../support/documents.ts'

const withRoutes = (t: Parameters<typeof documentOf>[0], keys: AccountsOptions['keys'], options: AccountsOptions = {}) =>
  documentOf(t, { keys: keys!, ...options }, {}, (app) => {
    const { guard } = app.accounts
    app.get('/keyed', {
      preHandler: guard({ keys: true, scopes: ['orders:read'] }),
      schema: { summary: 'Orders', description: 'All of them.' },
    }, async () => 1)
    app.get('/bare', { preHandler: guard({ keys: true, scopes: ['orders:read'] }) }, async () => 1)
    app.get('/guarded', { preHandler: app.authenticate }, async () => 1)
  })

const codesOf = (answer?: { content?: Record<string, { examples?: object }> }) =>
  Object.keys(answer?.content?.['application/json']?.examples ?? {})

test('a route that takes keys says so, and what they have to be for', async (t) => {
  const { paths, components } = await withRoutes(t, { scopes: ['orders:read'], prefix: 'shop' })
  const { get: keyed } = paths['/keyed']!
  t.strictSame(keyed!.security, [{ accessToken: [] }, { apiKey: [] }])
  t.equal(keyed!.description, 'All of them. API keys need: orders:read.')
  t.equal(paths['/bare']!.get!.description, 'API keys need: orders:read.')
  t.strictSame(components.securitySchemes.apiKey, {
    type: 'http', scheme: 'bearer', description: 'An API key, shop_….',
  })
  t.notOk('apiKeyHeader' in components.securitySchemes)
  t.ok(codesOf(keyed!.responses[403]).includes('ACCOUNTS_FORBIDDEN'))
  t.strictSame(codesOf(keyed!.responses[429]), ['ACCOUNTS_THROTTLED'])
  t.strictSame(codesOf(paths['/guarded']!.get!.responses[403]), ['ACCOUNTS_KEY_REFUSED'])
  t.strictSame(paths['/guarded']!.get!.security, [{ accessToken: [] }])
})

test('a header of the app’s own is another way to bring a key, and so is that of tokens', async (t) => {
  const { paths, components } = await withRoutes(t, { scopes: ['orders:read'], header: 'X-Api-Key' }, {
    header: { name: 'x-token', scheme: '' },
  })
  t.strictSame(paths['/keyed']!.get!.security, [{ accessToken: [] }, { apiKey: [] }, { apiKeyHeader: [] }])
  t.match(components.securitySchemes, {
    apiKey: { type: 'apiKey', in: 'header', name: 'x-token' },
    apiKeyHeader: { type: 'apiKey', in: 'header', name: 'x-api-key' },
  })
})

test('our routes say that they take no key, but for the one that does', async (t) => {
  const { paths } = await withRoutes(t, { scopes: ['orders:read'] })
  const { get: me, patch: change } = paths['/auth/me']!
  t.strictSame(me!.security, [{ accessToken: [] }, { apiKey: [] }])
  t.strictSame(codesOf(me!.responses[403]), [])
  t.strictSame(codesOf(me!.responses[429]), ['ACCOUNTS_THROTTLED'])
  t.strictSame(codesOf(change!.responses[403]), ['ACCOUNTS_KEY_REFUSED'])
  t.strictSame(codesOf(paths['/auth/keys']!.post!.responses[403]), ['ACCOUNTS_KEY_REFUSED'])
})

test('without keys the document is what it was', async (t) => {
  const { paths, components } = await documentOf(t)
  t.strictSame(Object.keys(components.securitySchemes).filter((name) => name.startsWith('api')), [])
  t.notMatch(JSON.stringify(paths), 'KEY_REFUSED')
})
