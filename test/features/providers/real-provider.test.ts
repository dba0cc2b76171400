// In a process of its own: oidc-provider warns of its development keys on the console.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
// @ts-expect-error: it has no declarations
import { Provider } from 'oidc-provider'
import t from 'tap'
import { oidc } from '../../../lib/providers.ts'
import { build } from '../../support/build.ts'
import { endOf, ownPage } from './with-provider.ts'

t.test('somebody signs up and in by a real provider, oidc-provider, over HTTP', async (t) => {
  const server = createServer((request, response) => handle(request, response))
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => server.close())
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'shop',
      client_secret: 'secret of the shop',
      redirect_uris: ['https://app.example.com/auth/providers/work/callback'],
    }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    cookies: { keys: ['a key for cookies'] },
    findAccount: (_: unknown, id: string) => ({
      accountId: id, claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: true }),
    }),
  })
  const handle = provider.callback()

  const { app } = await build(t, {
    identifiers: ['email'],
    transport: 'cookie',
    providers: [oidc({
      id: 'work', issuer, clientId: 'shop', clientSecret: 'secret of the shop', scope: ['openid', 'email'], trustEmail: true,
    })],
    providerFlow: { url: 'https://app.example.com' },
  })

  /** A browser at the provider: goes on until it is sent back, and fills in the forms of its development mode. */
  async function browse (start: string): Promise<string> {
    const jar = new Map<string, string>()
    let [url, form]: [string, URLSearchParams | undefined] = [start, undefined]
    for (let step = 0; step < 12; step++) {
      const response: Response = await fetch(url, {
        redirect: 'manual',
        headers: { cookie: [...jar].map((pair) => pair.join('=')).join('; ') },
        ...form && { method: 'POST', body: form },
      })
      for (const line of response.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
        jar.set(name!, value!)
      }
      const location = response.headers.get('location')
      form = undefined
      if (location?.startsWith('https://app.example.com')) return location
      if (location) url = new URL(location, url).href
      else {
        const page: string = await response.text()
        url = new URL(/action="([^"]+)"/.exec(page)![1]!, url).href
        form = new URLSearchParams(page.includes('name="login"')
          ? { prompt: 'login', login: 'ada', password: 'any' }
          : { prompt: 'consent' })
      }
    }
    throw new Error('The provider never sent the browser back')
  }

  for (const turn of ['up', 'in']) {
    const begun = await app.inject({ method: 'POST', url: '/auth/providers/work/authorize', payload: {}, headers: ownPage })
    const back = await browse(begun.json().authorization_url)
    const [cookie] = String(begun.headers['set-cookie']).split(';')
    t.same(endOf(await app.inject({ url: back, headers: { cookie } })), { page: 'https://app.example.com/' }, turn)
  }
  const ada = await app.accounts.users.find('ada@example.com')
  t.equal(ada!.email_verified, true)
  t.match(await app.accounts.identities.list(ada!.id), [{ provider: 'work', subject: 'ada', issuer }])
})
