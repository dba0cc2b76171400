import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyServerOptions } from 'fastify'
import t from 'tap'
import { bearer, client } from '../../support/build.ts'
import { addAccounts, open, type Answer } from './tour.ts'

/** The last, since a DELETE there closes the account. */
const doors = ['/guarded', '/closed/inside', '/closed/deep/deeper/42/inside', '/nested/inside', '/auth/me']

/** Ways to write a path that a proxy, a router or a file system may take for the same. */
function spellingsOf (url: string): string[] {
  const last = url.slice(url.lastIndexOf('/') + 1)
  const before = url.slice(0, url.length - last.length)
  const hex = (text: string) => [...text].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join('')
  const spellings = [
    url,
    `/${url}`,
    `${before}/${last}`,
    `${url}/`,
    `${url}//`,
    `${url};x`,
    `${url};x=1/`,
    `${url}?`,
    `${url}?x=/open`,
    `${url}/.`,
    `${url}/..;/`,
    `${url}.`,
    `${url}%20`,
    `${url}%00`,
    `${url}%09`,
    `${before}${hex(last)}`,
    `${before}${hex(last[0]!)}${last.slice(1)}`,
    `${before}%25${hex(last[0]!).slice(1)}${last.slice(1)}`,
    url.toUpperCase(),
    `${before}${last.toUpperCase()}`,
    `${before}${last[0]!.toUpperCase()}${last.slice(1)}`,
    `${before.slice(0, -1)}%2f${last}`,
    `${before.slice(0, -1)}%2F${last}`,
    `/%2f${url.slice(1)}`,
    `${before.slice(0, -1)}%5c${last}`,
    `${before.slice(0, -1)}\\${last}`,
    `${before}./${last}`,
    `${before}x/../${last}`,
    `${before}%2e/${last}`,
    `${before}..;/${last}`,
    `/open/..${url}`,
    `/open/%2e%2e${url}`,
    `/closed/health/..${url}`,
    `${url}%`,
    `${url}%zz`,
    `${before}%c0%af${last}`,
    `http://example${url}`,
    `${url}#x`,
  ]
  // Of a target without a slash Node's parser makes a 400 by itself.
  return spellings.filter((spelling) => /^(\/|http)/.test(spelling))
}

const servers: Record<string, FastifyServerOptions> = {
  'a router as Fastify makes it': {},
  'a lenient router': {
    routerOptions: {
      ignoreTrailingSlash: true,
      ignoreDuplicateSlashes: true,
      caseSensitive: false,
      useSemicolonDelimiter: true,
    } as object,
  },
}

for (const [which, server] of Object.entries(servers)) {
  t.test(`however a guarded path is written, nobody comes in without a token: ${which}`, async (t) => {
    const app = open(t, server)
    app.addHttpMethod('PROPFIND').addHttpMethod('QUERY', { hasBody: true })
    await addAccounts(app)
    const handler = async () => 'secret'
    app.get('/open', async () => 'open').get('/guarded', { preHandler: app.authenticate }, handler)
    app.route({ method: ['QUERY', 'PROPFIND', 'PUT'], url: '/guarded', onRequest: app.authenticate, handler })
    await app.register(async (scope) => {
      app.accounts.protect(scope)
      scope
        .get('/inside', handler)
        .get('/health', { config: { auth: false } }, async () => 'open')
        .get('/files/*', handler)
      scope.route({ method: ['PROPFIND', 'PUT', 'DELETE'], url: '/inside', handler })
      await scope.register(async (deep) => {
        deep.get('/inside', handler)
        await deep.register(async (deeper) => deeper.get('/inside', handler), { prefix: '/deeper/:id' })
        deep.setNotFoundHandler(handler)
      }, { prefix: '/deep' })
    }, { prefix: '/closed' })
    await app.register(async (scope) => {
      await scope.register(async (child) => { child.get('/inside', handler) })
      app.accounts.protect(scope, { locations: ['header'] })
    }, { prefix: '/nested' })
    const { access_token: token } = await client(app).signUp()
    await app.listen({ host: '127.0.0.1', port: 0 })
    const { port } = app.server.address() as AddressInfo

    /** On the wire, where a path goes out as it is written. */
    const ask = (method: string, path: string, token?: string) => new Promise<Answer>((resolve, reject) => {
      request({ port, method, path, headers: bearer(token) }, async (response) => {
        resolve({
          statusCode: response.statusCode!,
          headers: response.headers,
          body: Buffer.concat(await response.toArray()).toString(),
        })
      }).on('error', (error) => reject(new Error(`${method} ${path}: ${error.message}`))).end()
    })

    const reached = new Set<string>()
    const check = async (method: string, url: string) => {
      const { statusCode, headers, body } = await ask(method, url)
      const isRefused =
        statusCode === 401
          ? /^Bearer realm="accounts"/.test(String(headers['www-authenticate']))
          : [400, 404].includes(statusCode)
      if (!isRefused || body.includes('secret')) { t.fail(`${method} ${url}: ${statusCode} ${body} ${headers['www-authenticate']}`) }
      // With a token that one closes the account.
      if (method === 'DELETE' && url === '/auth/me') return
      if ((method !== 'HEAD' || doors.includes(url)) && (await ask(method, url, token)).statusCode === 200) { reached.add(`${method} ${url}`) }
    }
    for (const url of doors) {
      for (const spelling of spellingsOf(url)) for (const method of ['GET', 'HEAD']) await check(method, spelling)
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY', 'TRACE', 'LOCK']) { await check(method, url) }
      t.ok(['GET', 'HEAD'].every((method) => reached.has(`${method} ${url}`)), `with a token ${url} opens`)
    }
    for (const url of [
      '/closed',
      '/closed/',
      '/closed/nowhere',
      '/closed/health/nowhere',
      '/closed/deep/nowhere',
      '/closed/deep/../nowhere',
    ]) { await check('GET', url) }
    t.equal((await ask('GET', '/closed/health')).body, 'open')
    t.equal((await ask('GET', '/closed/deep/nowhere')).statusCode, 401, 'a not-found handler below a protected scope')
    if (server.routerOptions) {
      t.ok(
        reached.has('GET //GUARDED'.toLowerCase().replace('get', 'GET')) && reached.has('GET /GUARDED'),
        'other spellings do open, with a token'
      )
    }
  })
}
