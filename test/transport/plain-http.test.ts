// On each database.
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { build, password } from '../support/build.ts'
import { launchChromium } from '../whole/example/run.ts'

let browser: Browser

t.before(async () => {
  browser = await launchChromium()
  t.teardown(() => browser.close())
})

/** An app on plain HTTP that names its own origin, or does not, and a page of it in a browser. */
async function site (t: Test, doesNameItself: boolean) {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close().closeAllConnections() })
  const { port } = server.address() as AddressInfo
  const origin = `http://app.test:${port}`

  const csrf = doesNameItself ? { trustedOrigins: [origin] } : {}
  const serverFactory = (handler: RequestListener) => server.on('request', handler)
  const { app, signUp } = await build(t, { transport: 'both', cookies: { secure: false }, csrf }, { serverFactory })
  let user = { id: '' }
  const seen: { site: unknown, origin: unknown }[] = []
  const notes: unknown[] = []
  app.get('/', (_request, reply) => reply.type('text/html').send('<!doctype html><title>A page</title>'))
  app.get('/link-of-a-mail', async (request, reply) => {
    await app.accounts.issueTokens(user, { request, reply })
    reply.redirect('/')
  })
  app.post('/notes', { preHandler: app.authenticate }, async ({ headers, body }) => {
    seen.push({ site: headers['sec-fetch-site'], origin: headers.origin })
    return { count: notes.push(body) }
  })
  app.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  user = (await signUp()).user

  const context = await browser.newContext()
  t.teardown(() => context.close())
  const page = await context.newPage()
  await page.goto(origin)
  return { page, origin, port, seen, notes }
}

/** What a script of the page gets; the value against CSRF is sent along, or not. */
function ask (
  page: Page,
  method: string,
  url: string,
  { isProven = false, body = undefined as object | undefined } = {}
) {
  return page.evaluate(
    async ([method, url, isProven, body]) => {
      const [, value] = /(?:^|; )csrf=([^;]+)/.exec(document.cookie) ?? []
      const headers = {
        ...(isProven && { 'x-csrf-token': value! }),
        ...(body && { 'content-type': 'application/json' }),
      }
      const answer = await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) })
      return { status: answer.status, text: await answer.text(), cookies: document.cookie }
    },
    [method, url, isProven, body] as const
  )
}

const credentials = { username: 'ada', password, transport: 'cookie' }

t.test(
  'on plain HTTP, where a browser says nothing of the sender but its Origin, the value of the session is proof',
  async (t) => {
    const { page, origin, seen } = await site(t, false)
    await page.goto(`${origin}/link-of-a-mail`)
    t.match(await ask(page, 'POST', '/notes'), {
      status: 403,
      text: /ACCOUNTS_CSRF_FAILED.*x-csrf-token.*Origin is not in csrf\.trustedOrigins/,
    })
    t.match(await ask(page, 'POST', '/notes', { isProven: true }), { status: 200, text: '{"count":1}' })
    t.strictSame(seen, [{ site: undefined, origin }])
    t.match(await ask(page, 'POST', '/auth/refresh', { isProven: true }), { status: 200, cookies: /csrf=/ })
    t.match(await ask(page, 'POST', '/notes', { isProven: true }), { status: 200, text: '{"count":2}' })
    t.match(
      await ask(page, 'POST', '/auth/logout', { isProven: true }),
      { status: 204, cookies: /^$/ },
      'the cookies are gone'
    )
  }
)

t.test('there nobody logs in until the app names its origin, and the refusal says so', async (t) => {
  const silent = await site(t, false)
  t.match(await ask(silent.page, 'POST', '/auth/login', { body: credentials }), {
    status: 403,
    text: /name the origin of its own pages/,
    cookies: '',
  })

  const { page, notes } = await site(t, true)
  t.match(await ask(page, 'POST', '/auth/login', { body: credentials }), { status: 200, cookies: /csrf=/ })
  t.match(await ask(page, 'POST', '/notes'), { status: 200 }, 'which is proof for all that comes after')
  t.equal(notes.length, 1)
})

t.test('there a page of a neighbouring host, whose requests bring the cookies along, changes nothing', async (t) => {
  const { page, port, notes, seen } = await site(t, true)
  await ask(page, 'POST', '/auth/login', { body: credentials })
  await page.goto(`http://evil.app.test:${port}/`)
  const statuses: number[] = []
  page.on('response', (answer) => { statuses.push(answer.status()) })
  const send = (url: string) =>
    page.evaluate(
      (url) => fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', body: 'planted' }).then(() => {}),
      url
    )
  await send(`http://app.test:${port}/notes`)
  t.strictSame([statuses, notes, seen], [[403], [], []])
})
