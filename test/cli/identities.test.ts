import t from 'tap'
import { providerFindings } from '../../lib/cli/provider-findings.ts'
import type { AccountsOptions } from '../../lib/index.ts'
import { github, oidc } from '../../lib/providers.ts'
import { readSettings } from '../../lib/settings.ts'
import { build, secret } from '../support/build.ts'
import { withProvider } from '../features/providers/with-provider.ts'
import { cli, json } from './cli.ts'

t.test('identities are listed from the command line, with the options of the app and without', async (t) => {
  const { app, db } = await withProvider(t)
  const ada = await app.accounts.users.create({ username: 'ada' })
  await app.accounts.identities.link(ada.id, { provider: 'fake', subject: '1', email: 'ada@example.com' })
  await app.accounts.identities.link(ada.id, { provider: 'fake', subject: '2' })
  const config = 'import { google } from "' + new URL('../../lib/providers.ts', import.meta.url).href + '"\n' +
    `export default { secret: '${secret}', providers: [google({ clientId: 'a', clientSecret: 'b' })], ` +
    'providerFlow: { url: "https://app.example.com" } }'
  const given = { cwd: t.testdir({ 'app.mjs': config }), env: { ACCOUNTS_DATABASE_URL: db } }
  t.match(await json(['user', 'identities', 'ada'], given), {
    identities: [{ provider: 'fake', subject: '1', email: 'ada@example.com' }, { provider: 'fake', subject: '2', email: null }],
  })
  t.match((await cli(['user', 'identities', 'ada', '--config', 'app.mjs'], given)).stdout, /fake +2 +– /)
})

t.test('the doctor says which URLs to register, who is away, and whose clock differs', async (t) => {
  const { app } = await build(t)
  const said = async (options: AccountsOptions, isLive = false) =>
    (await providerFindings(readSettings({ secret, ...options }, {}, app.log), isLive))
      .map(({ level, finding }) => `${level}: ${finding}`).join('\n')
  const provider = (id: string, answer: () => Response) =>
    oidc({ id, issuer: `https://${id}.example`, clientId: 'x', fetch: async () => answer() })
  const dated = (seconds: number) =>
    new Response('{}', { headers: { date: new Date(Date.now() + seconds * 1000).toUTCString() } })
  const providerFlow = { url: 'https://app.example.com' }

  t.equal(await said({}), '')
  t.equal(await said({ providers: [provider('one', () => dated(0))], providerFlow, routes: { providers: false } }), '')
  const good = await said({
    providers: [provider('one', () => dated(0)), provider('two', () => new Response('{}')),
      github({ clientId: 'x', clientSecret: 'y' })],
    providerFlow,
  }, true)
  t.equal(good, 'remark: Providers send browsers back to these URLs, and to no other: ' + ['one', 'two', 'github']
    .map((id) => `https://app.example.com/auth/providers/${id}/callback`).join(', ') + '.')
  t.match(await said({ providers: [provider('one', () => dated(90))], providerFlow }), /error: The clock .* of one differ by \d+ s/)
  t.match(await said({ providers: [provider('one', () => new Response(null, { status: 503 }))], providerFlow }),
    /warning: one does not answer at https:\/\/one.example\/.well-known\/openid-configuration: HTTP 503/)
  const local = { url: 'http://localhost:3000' }
  t.match(await said({ providers: [provider('one', () => dated(0))], providerFlow: local }, true), /error: .*without TLS/)
  t.notMatch(await said({ providers: [provider('one', () => dated(0))], providerFlow: local }), /TLS/)
})
