import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { mock } from 'node:test'
import { parseSetCookie } from 'cookie'
import createClient from 'openapi-fetch'
import t, { type Test } from 'tap'
import type { AccountsOptions, TokenResponse } from '../../lib/index.ts'
import { build, password } from '../support/build.ts'

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'clients.md'), 'utf8')

/** A snippet of the page, as a function of what it takes from elsewhere. */
function recipe (section: string, file: string) {
  const code = page
    .split(/^## /m)
    .find((part) => part.startsWith(section))!
    .split('```js\n')
    .find((part) => part.startsWith(`// ${file}`))!
    .split('```')[0]!
  const names = [...code.matchAll(/^export (?:async )?(?:function|const) (\w+)/gm)].map(([, name]) => name)
  const body = `${code.replace(/^import .*$/gm, '').replace(/^export /gm, '')}\nreturn { ${names.join()} }`
  const Recipe = (() => {}).constructor as new (...parts: string[]) => (...given: unknown[]) => Record<string, any>
  return (given: Record<string, unknown>) => new Recipe(...Object.keys(given), body)(...Object.values(given))
}

type Fetch = (input: Request | string | URL, init?: RequestInit) => Promise<Response>

/** An app on a socket, and a browser of its pages. */
async function world (t: Test, options: AccountsOptions = {}) {
  const { app } = await build(t, options)
  const asked: string[] = []
  app.addHook('onRequest', async ({ url }) => { asked.push(url) })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const base = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`

  class PageRequest extends Request {
    constructor (input: Request | string | URL, init?: RequestInit) {
      super(typeof input === 'string' ? new URL(input, base) : input, init)
    }
  }
  const cookies = new Map<string, { value: string, path: string, until: number }>()
  const document = {
    get cookie () {
      return [...cookies]
        .filter(([name, { path }]) => path === '/' && name.endsWith('csrf'))
        .map(([name, { value }]) => `${name}=${value}`)
        .join('; ')
    },
  }
  const fetch: Fetch = async (input, init) => {
    const request = new PageRequest(input, init)
    const { pathname } = new URL(request.url)
    const sent = [...cookies]
      .filter(([, { path, until }]) => pathname.startsWith(path) && until > Date.now())
      .map(([name, { value }]) => `${name}=${value}`)
    if (sent.length > 0) request.headers.set('cookie', sent.join('; '))
    const answer = await globalThis.fetch(request)
    for (const line of answer.headers.getSetCookie()) {
      const { name, value = '', path = '/', maxAge = 0 } = parseSetCookie(line)
      cookies.set(name, { value, path, until: Date.now() + maxAge * 1000 })
    }
    return answer
  }

  const store = new Map<string, string>()
  const localStorage = {
    getItem: (name: string) => store.get(name) ?? null,
    setItem: (name: string, value: string) => store.set(name, value),
  }
  const json = (body: object) => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const enter = async (way: 'register' | 'login' = 'register') =>
    (await fetch(`/auth/${way}`, json({ username: 'ada', password }))).json() as Promise<TokenResponse>
  const refreshes = () => asked.filter((url) => url === '/auth/refresh').length
  return { app, base, fetch, PageRequest, document, localStorage, json, enter, refreshes, cookies }
}

/** Access tokens live for a quarter of an hour. */
const expire = () => mock.timers.tick(16 * 60_000)

t.beforeEach(() => mock.timers.enable({ apis: ['Date'], now: Date.now() }))
t.afterEach(() => mock.timers.reset())

async function inStore (t: Test) {
  const all = await world(t)
  const { load, save } = recipe('Tokens in a store', 'store.js')({ localStorage: all.localStorage }) as {
    load: () => Partial<TokenResponse>
    save: (tokens: object) => void
  }
  const tab = (fetch: Fetch = all.fetch) =>
    recipe('Tokens in a store', 'api.js')({ load, save, fetch, Request: all.PageRequest }) as {
      api: Fetch
      keep: (tokens: object) => void
      authorized: (request: Request) => Request
      canGoOn: (sent: Request, answer: Response) => Promise<boolean>
    }
  return { ...all, load, save, tab }
}

async function inCookies (t: Test) {
  const all = await world(t, { transport: 'cookie' })
  let held: Promise<unknown> = Promise.resolve()
  // One at a time, in the order in which they came, as in a browser.
  const locks = {
    request: (_name: string, work: () => Promise<Response>) => {
      const mine = held.then(work)
      held = mine.catch(() => {})
      return mine
    },
  }
  const tab = (fetch: Fetch = all.fetch) =>
    recipe('Cookies', 'api.js')({ fetch, Request: all.PageRequest, document: all.document, navigator: { locks } }) as {
      api: Fetch
    }
  return { ...all, tab }
}

const statuses = async (answers: Promise<Response>[]) => (await Promise.all(answers)).map(({ status }) => status)

t.test('with tokens in a store, requests that find theirs expired share one refresh, in each tab', async (t) => {
  const { enter, save, load, tab, refreshes, json } = await inStore(t)
  save(await enter())
  const [one, other] = [tab(), tab()]
  t.strictSame(await statuses([one.api('/guarded')]), [200])
  t.equal(refreshes(), 0)

  expire()
  t.strictSame(
    await statuses([one.api('/guarded'), one.api('/guarded', json({ any: 'body' })), one.api('/strict')]),
    [200, 200, 200]
  )
  t.equal(refreshes(), 1)
  expire()
  t.strictSame(
    await statuses([one, other].flatMap(({ api }) => [api('/guarded'), api('/guarded')])),
    [200, 200, 200, 200]
  )
  t.ok([2, 3].includes(refreshes()), 'one in each tab, unless one of them was done before the other was refused')
  save({ ...load(), access_token: undefined })
  t.strictSame(await statuses([other.api('/guarded')]), [200], 'a token that is missing too')
})

t.test('an answer that comes after another tab has refreshed is dropped, and the session goes on', async (t) => {
  const { enter, save, load, tab, fetch, json } = await inStore(t)
  save(await enter())
  expire()
  const other = tab()
  let newest: unknown
  const slow = tab(async (input, init) => {
    const answer = await fetch(input, init)
    if (input !== '/auth/refresh') return answer
    // Meanwhile the other tab is given these very tokens, and, once their window is over, the next.
    save((await answer.clone().json()) as object)
    mock.timers.tick(62_000)
    save(await (await fetch('/auth/refresh', json({ refresh_token: load().refresh_token }))).json() as object)
    newest = load()
    return answer
  })
  t.strictSame(await statuses([slow.api('/guarded')]), [200])
  t.strictSame(load(), newest)
  expire()
  t.strictSame(await statuses([other.api('/guarded'), slow.api('/guarded')]), [200, 200])
})

t.test('a refresh that is refused logs out, and no other answer does', async (t) => {
  const { app, enter, save, load, tab, refreshes, json, fetch } = await inStore(t)
  const tokens = await enter()
  save(tokens)
  const down = tab(async (input, init) =>
    input === '/auth/refresh' ? new Response('{"code":"ACCOUNTS_UNAVAILABLE"}', { status: 503 }) : fetch(input, init)
  )
  const { api } = tab()
  t.strictSame(await statuses([api('/auth/login', json({ username: 'ada', password: 'wrong' }))]), [401])
  t.equal(refreshes(), 0, 'a wrong password is no matter of tokens')
  expire()
  t.strictSame(await statuses([down.api('/guarded')]), [401])
  t.equal(load().refresh_token, tokens.refresh_token)

  await app.accounts.sessions.revokeAll(tokens.user.id)
  t.strictSame(await statuses([api('/guarded'), api('/guarded')]), [401, 401])
  t.strictSame(load(), {})
  t.equal(refreshes(), 1)
  t.strictSame(await statuses([api('/guarded')]), [401])
  t.equal(refreshes(), 1, 'without a token there is nothing to show')
})

t.test('with cookies the same, and the value against CSRF goes along', async (t) => {
  const { app, enter, tab, refreshes, json, cookies } = await inCookies(t)
  const { user } = await enter()
  const [one, other] = [tab(), tab()]
  t.strictSame(await statuses([one.api('/guarded', json({}))]), [200])
  expire()
  t.strictSame(
    await statuses([one.api('/guarded'), one.api('/guarded', json({})), one.api('/strict')]),
    [200, 200, 200]
  )
  t.equal(refreshes(), 1)
  expire()
  t.strictSame(
    await statuses([one, other].flatMap(({ api }) => [api('/guarded'), api('/guarded', json({}))])),
    [200, 200, 200, 200]
  )

  const before = refreshes()
  t.strictSame(await statuses([one.api('/auth/login', json({ username: 'ada', password: 'wrong' }))]), [401])
  t.equal(refreshes(), before)
  await app.accounts.sessions.revokeAll(user.id)
  t.strictSame(await statuses([one.api('/guarded')]), [401])
  t.equal(refreshes(), before + 1)
  t.ok([...cookies.values()].every(({ value }) => value === ''), 'the server has taken them back')
})

t.test('a client that is made from the document refreshes too, and sends its body once more', async (t) => {
  const { base, enter, save, tab, refreshes, fetch, app } = await inStore(t)
  const tokens = await enter()
  save(tokens)
  const { authorized, canGoOn, keep } = tab()
  const made = (options: object) => createClient({ ...options, baseUrl: base, fetch })
  const { client } = recipe('A client made', 'client.js')({ authorized, canGoOn, fetch, createClient: made }) as {
    client: any
  }
  expire()
  const answers = await Promise.all([client.GET('/guarded'), client.POST('/guarded', { body: { a: 1 } })])
  t.strictSame(answers.map(({ response }) => response.status), [200, 200])
  t.equal(refreshes(), 1)
  const { data } = await client.POST('/auth/reauthenticate', { body: { password } })
  keep(data)
  t.equal((await client.GET('/guarded')).response.status, 200)
  await app.accounts.sessions.revokeAll(tokens.user.id)
  t.equal((await client.GET('/guarded')).error.code, 'ACCOUNTS_TOKEN_REVOKED')
})

const proofs = (json: (body: object) => RequestInit): [string, RequestInit][] => [
  ['/auth/reauthenticate', json({ password })],
  ['/auth/password', { ...json({ current_password: password, new_password: `${password} again` }), method: 'PUT' }],
]

t.test(
  'with tokens in a store, the answer to a proof is kept over a refresh that raced it, and not over another login',
  async (t) => {
    for (const index of [0, 1]) {
      const { enter, save, load, tab, json, fetch } = await inStore(t)
      save(await enter())
      const [one, other] = [tab(), tab()]
      const proved = (await (await one.api(...proofs(json)[index]!)).json()) as TokenResponse
      mock.timers.tick(1000)
      save({ ...load(), refresh_token: load().refresh_token, access_token: undefined })
      // The other tab is refused, waits, and finds what this one has kept meanwhile.
      const refused = other.api('/guarded')
      one.keep(proved)
      t.strictSame(await statuses([refused, one.api('/guarded')]), [200, 200])
      t.strictSame(load(), proved)

      const login = (await (
        await fetch('/auth/login', json({ username: 'ada', password: index ? `${password} again` : password }))
      ).json()) as TokenResponse
      save(login)
      one.keep(proved)
      t.strictSame(load(), login)
      save({})
      one.keep(proved)
      t.strictSame(load(), {})
    }
  }
)

t.test('with tokens in a store, a proof whose answer is lost empties no store', async (t) => {
  const { enter, save, load, tab, json } = await inStore(t)
  const tokens = await enter()
  save(tokens)
  const { api } = tab()
  t.strictSame(await statuses([api(...proofs(json)[0]!)]), [200])
  t.strictSame(await statuses([api('/guarded')]), [401])
  t.strictSame(load(), tokens)
})

t.test('with cookies, refreshes and proofs of all tabs come one after another', async (t) => {
  for (const index of [0, 1]) {
    const { enter, tab, json } = await inCookies(t)
    await enter()
    const [one, other] = [tab(), tab()]
    expire()
    t.strictSame(
      await statuses([
        one.api('/guarded'),
        other.api(...proofs(json)[index]!),
        one.api('/strict'),
        other.api('/guarded'),
      ]),
      [200, 200, 200, 200]
    )
    expire()
    t.strictSame(await statuses([one, other].map(({ api }) => api('/guarded'))), [200, 200])
  }
})

t.test('with cookies, who is told of newer tokens looks once more', async (t) => {
  const { enter, tab, json, fetch, cookies, refreshes } = await inCookies(t)
  await enter()
  const before = new Map(cookies)
  await tab().api(...proofs(json)[0]!)
  const after = new Map(cookies)
  const put = (jar: typeof cookies) => { cookies.clear(); for (const [name, cookie] of jar) cookies.set(name, cookie) }
  for (const [jar, status] of [[after, 200], [before, 401]] as const) {
    put(before)
    const counted = refreshes()
    const { api } = tab(async (input, init) => {
      const answer = await fetch(input, init)
      if (answer.status === 401 && new URL((input as Request).url).pathname === '/auth/refresh') put(jar)
      return answer
    })
    t.strictSame(await statuses([api('/guarded')]), [status])
    t.equal(refreshes(), counted + 2)
  }
})
