import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { mock } from 'node:test'
import { parseSetCookie } from 'cookie'
import createClient from 'openapi-fetch'
import t, { type Test } from 'tap'
import type { AccountsOptions, TokenResponse } from '../../lib/index.ts'
import { outbox } from '../../lib/testing.ts'
import { codeOf, wrongCode } from '../features/factors/enrolled.ts'
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

async function inStore (t: Test, options: AccountsOptions = {}) {
  const all = await world(t, options)
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

async function inCookies (t: Test, options: AccountsOptions = {}) {
  const all = await world(t, { transport: 'cookie', ...options })
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

/** What a page asks people. */
interface Ask {
  password?: () => Promise<string | undefined>
  factor?: (factors: string[]) => Promise<object | undefined>
  firstCode?: (shown: { secret: string, uri: string }) => Promise<string | undefined>
}

interface InSteps {
  logIn: (names: object, ask: Ask) => Promise<Response>
  strongly: (url: string, options: RequestInit, ask: Ask) => Promise<Response>
}

/** The recipes of second factors, which are the same for tokens in a store and in cookies, and Ada, who has an app. */
async function inSteps (t: Test, transport: 'body' | 'cookie') {
  const options = { factors: { requireFor: ['admin'] } }
  const inBodies = transport === 'body' ? await inStore(t, options) : undefined
  const all = inBodies ?? await inCookies(t, options)
  const { api } = all.tab()
  const keep = inBodies?.tab().keep ?? (() => {})
  const save = inBodies?.save ?? (() => {})
  const { json, ...login } = recipe('Second factors', 'login.js')({ api }) as any
  const { logIn, strongly } = { ...login, ...recipe('Second factors', 'step-up.js')({ api, keep, json, ...login }) } as InSteps
  return { app: all.app, api, enter: all.enter, cookies: all.cookies, save, logIn, strongly }
}

type World = Awaited<ReturnType<typeof inSteps>>

const names = { username: 'ada', password }

/** Sets up an app, and gives the code of now and the recovery codes. */
async function withApp ({ api, enter, save }: Pick<World, 'api' | 'enter' | 'save'>) {
  save(await enter())
  const sent = (method: string, body: object) => api('/auth/factors/totp', {
    method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
  })
  const { enrolment, secret } = await (await sent('POST', {})).json() as { enrolment: string, secret: string }
  const confirmed = await (await sent('PUT', { enrolment, code: codeOf(secret) })).json()
  save(confirmed)
  return { secret, recoveryCodes: confirmed.recovery_codes as string[] }
}

for (const transport of ['body', 'cookie'] as const) {
  t.test(`a login in two steps, with tokens in ${transport}: a mistyped code is asked for again`, async (t) => {
    const all = await inSteps(t, transport)
    const { secret, recoveryCodes } = await withApp(all)
    mock.timers.tick(60_000)
    t.equal((await all.logIn({ ...names, password: 'wrong' }, {})).status, 401, 'nothing is asked')

    const asked: string[][] = []
    const codes = [wrongCode(secret), codeOf(secret)]
    const answer = await all.logIn(names, {
      factor: async (factors) => {
        asked.push(factors)
        return { code: codes.shift() }
      },
    })
    t.equal(answer.status, 200)
    all.save(await answer.json() as object)
    t.strictSame(asked, [['totp', 'recovery'], ['totp', 'recovery']])
    t.equal((await all.api('/guarded')).status, 200)

    const byRecovery = await all.logIn(names, { factor: async () => ({ recovery_code: recoveryCodes[0] }) })
    t.equal(byRecovery.status, 200)
    const givenUp = await all.logIn(names, { factor: async () => undefined })
    t.match(await givenUp.json(), { code: 'ACCOUNTS_FACTOR_REQUIRED', ticket: transport === 'body' ? String : undefined })

    const late = await all.logIn(names, {
      factor: async () => {
        mock.timers.tick(6 * 60_000)
        return { code: codeOf(secret) }
      },
    })
    t.match(await late.json(), { code: transport === 'body' ? 'ACCOUNTS_TOKEN_EXPIRED' : 'ACCOUNTS_TOKEN_MISSING' })
  })

  t.test(`who needs a second factor sets one up when they log in, with tokens in ${transport}`, async (t) => {
    const { app, enter, save, api, logIn } = await inSteps(t, transport)
    const { user } = await enter()
    await app.accounts.users.setRoles(user.id, ['admin'])
    const shown: string[] = []
    const answer = await logIn(names, {
      firstCode: async ({ secret, uri }) => {
        shown.push(uri)
        return shown.length === 1 ? wrongCode(secret) : codeOf(secret)
      },
    })
    t.equal(answer.status, 200)
    const tokens = await answer.json() as { recovery_codes: string[] }
    t.equal(tokens.recovery_codes.length, 10)
    t.match(shown, [/^otpauth:/, shown[0]!])
    save(tokens)
    t.equal((await api('/guarded')).status, 200)
  })

  t.test(`what wants a new proof is sent again after one, with tokens in ${transport}`, async (t) => {
    const all = await inSteps(t, transport)
    const { secret, recoveryCodes } = await withApp(all)
    const renew = (ask: Ask) => all.strongly('/auth/factors/recovery-codes', { method: 'POST' }, ask)
    t.equal((await renew({})).status, 200, 'nothing is asked while the proof is new')

    mock.timers.tick(11 * 60_000)
    t.match(await (await renew({ password: async () => undefined })).json(), { code: 'ACCOUNTS_TOKEN_STALE' })
    t.match(await (await renew({ password: async () => 'wrong' })).json(), { code: 'ACCOUNTS_CREDENTIALS_INVALID' })
    const ask = { password: async () => password, factor: async () => ({ code: codeOf(secret) }) }
    const renewed = await renew(ask)
    t.equal(renewed.status, 200)
    t.not((await renewed.json() as { recovery_codes: string[] }).recovery_codes[0], recoveryCodes[0])
    t.equal((await all.api('/guarded')).status, 200, 'and the session goes on')
  })
}

t.test('a proof that is too weak is made stronger', async (t) => {
  const all = await inSteps(t, 'body')
  const { secret } = await withApp(all)
  const { id } = (await all.app.accounts.users.find('ada'))!
  all.save(await all.app.accounts.issueTokens({ id }, { acr: 'aal1', authTime: new Date() }))
  mock.timers.tick(60_000)
  const asked: string[] = []
  const answer = await all.strongly('/auth/factors/recovery-codes', { method: 'POST' }, {
    password: async () => {
      asked.push('password')
      return password
    },
    factor: async () => {
      asked.push('factor')
      return { code: codeOf(secret) }
    },
  })
  t.equal(answer.status, 200)
  t.strictSame(asked, ['password', 'factor'])
})

/** An app with mails on a socket, and the functions of a page of it; `at` is where the page is. */
async function mailed (t: Test, options: AccountsOptions = {}) {
  const all = await inStore(t, { mail: true, email: { verification: 'none' }, ...options })
  const mails = outbox(all.app)
  const { post } = recipe('Mails', 'post.js')({ fetch: all.fetch }) as { post: (url: string, body: object) => Promise<Response> }
  const shared = recipe('Mails', 'mailed.js')({}) as { mailed: unknown }
  const register = async (username = 'ada') =>
    (await post('/auth/register', { username, email: `${username}@example.com`, password })).json()
  const landing = (at: string) => {
    const location = new URL(at)
    const shown: string[] = []
    const history = { replaceState: (_state: null, _title: string, path: string) => { shown.push(path) } }
    return { ...recipe('Mails', 'landing.js')({ post, location, history }) as Landing, shown }
  }
  return { ...all, mails, post, mailed: shared.mailed, register, landing }
}

interface Landing {
  tokenOfLink: () => string | undefined
  choose: (token: string, password: string) => Promise<Response>
}

interface Asked {
  send: () => Promise<boolean>
  waitSeconds: () => number
}

const another = `${password} again`

t.test('a forgotten password is chosen anew by the code, in the page that asked, which waits as the server says', async (t) => {
  const { post, mailed: asking, mails, register, json, fetch } = await mailed(t, {
    throttle: { mail: { address: 5, network: 3 } },
  })
  await register()
  const { forgotten } = recipe('Mails', 'forgotten.js')({ post, mailed: asking }) as {
    forgotten: (email: string) => Asked & { choose: (code: string, password: string) => Promise<Response> }
  }
  const { send, waitSeconds, choose } = forgotten('ada@example.com')
  t.equal(waitSeconds(), 0)
  t.equal(await send(), true)
  const first = await mails.next('reset')
  t.equal(waitSeconds(), 60)
  t.equal(await send(), false, 'too soon')
  mock.timers.tick(61_000)
  t.equal(waitSeconds(), 0)
  t.equal(await send(), true)
  const second = await mails.next('reset')
  t.equal(mails.code(first), mails.code(second))

  t.equal((await choose('0', another)).status, 400)
  t.equal((await choose(mails.code(first), another)).status, 204)
  t.equal((await fetch('/auth/login', json({ username: 'ada', password: another }))).status, 200)

  const stranger = forgotten('nobody@example.com')
  for (let asked = 0; asked < 4; asked++) await forgotten('nobody@example.com').send()
  t.equal(await stranger.send(), false)
  t.ok(stranger.waitSeconds() > 0 && stranger.waitSeconds() <= 60, 'as the 429 says')
})

t.test('the page of a link takes its token out of the address, also where a gateway has made %23 of the #', async (t) => {
  const { mails, register, post, landing, json, fetch } = await mailed(t)
  await register()
  await post('/auth/password/forgot', { username: 'ada' })
  const token = mails.token(await mails.next('reset'))
  for (const [link, path] of [
    [`/reset#${token}`, '/reset'], [`/reset%23${token}`, '/reset'], [`/reset?token=${token}`, '/reset'],
    [`/reset%23${token}?utm=1`, '/reset'],
  ] as const) {
    const { tokenOfLink, shown } = landing(`https://app.example.com${link}`)
    t.equal(tokenOfLink(), token)
    t.strictSame(shown, [path])
  }
  const { tokenOfLink, choose, shown } = landing(`https://app.example.com/reset#${token}x`)
  t.equal(tokenOfLink(), undefined)
  t.strictSame(shown, [])
  t.equal((await choose(token, another)).status, 204)
  t.equal((await fetch('/auth/login', json({ username: 'ada', password: another }))).status, 200)
})

t.test('a link that signs in does so on a page of another app that has asked, and nowhere else', async (t) => {
  const { base, post, mails, register, landing, localStorage, app } = await mailed(t, {
    mail: { links: { base: 'https://app.example.com', login: '/welcome' } }, routes: { emailLogin: true },
  })
  await register()
  const page = (at: string, store = localStorage) => {
    const { tokenOfLink } = landing(at)
    return recipe('Mails', 'welcome.js')({ post, tokenOfLink, localStorage: store }) as {
      askForLogin: (server: string, email: string) => Promise<boolean>
      signIn: (server: string, code?: string) => Promise<string | TokenResponse>
    }
  }
  const kept = new Map<string, string>()
  const store = {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
    removeItem: (name: string) => kept.delete(name),
  }
  const asked = page('https://app.example.com/login', store)
  t.equal(await asked.askForLogin(base, 'ada@example.com'), true)
  const mail = await mails.next('login')
  const link = /https:\S+/.exec(mail.text)![0]
  t.match(link, /^https:\/\/app\.example\.com\/welcome#/)
  t.match(await page(link).signIn(base), /Type the code in the browser where you began/, 'in another browser')
  t.match(await asked.signIn(base, '0'), /not good any more/)
  t.match(await page(link, store).signIn(base), { user: { username: 'ada' } })
  t.equal(kept.size, 0)
  t.ok(app)
})

t.test('another address is asked for with the password, and counts once its code is typed', async (t) => {
  const { app, mails, register, save, load, tab, mailed: asking } = await mailed(t)
  save(await register())
  const { api, keep } = tab()
  const { newAddress } = recipe('Mails', 'address.js')({ api, keep, mailed: asking }) as {
    newAddress: (email: string, ask: () => Promise<string>) => Asked & { confirm: (code: string) => Promise<Response> }
  }
  mock.timers.tick(11 * 60_000)
  const before = load().access_token
  let asks = 0
  const { send, waitSeconds, confirm } = newAddress('lovelace@example.com', async () => {
    asks++
    return asks === 1 ? 'wrong' : password
  })
  t.equal(await send(), false, 'a wrong password')
  t.equal(waitSeconds(), 0)
  t.equal(await send(), true)
  t.equal(asks, 2)
  t.not(load().access_token, before)
  t.equal((await app.accounts.users.find('ada'))!.email, 'ada@example.com')
  t.equal((await confirm(mails.code(await mails.next('change')))).status, 204)
  t.equal((await app.accounts.users.find('ada'))!.email, 'lovelace@example.com')
})

t.test('the page of an invitation shows what it is about, and opens the account', async (t) => {
  const { app, mails, post, landing } = await mailed(t, {
    mail: { links: { base: 'https://app.example.com', invite: '/join' } }, routes: { invitations: true },
  })
  await app.accounts.invitations.create({ email: 'eve@example.com', data: { public: { team: 'Analysts' } } })
  const link = /https:\S+/.exec((await mails.next('invite')).text)![0]
  const open = (at: string) => (recipe('Mails', 'join.js')({ post, tokenOfLink: landing(at).tokenOfLink }) as {
    invitation: () => Promise<any>
  }).invitation()
  t.equal(await open('https://app.example.com/join#nothing'), undefined)
  const { email, data, accept } = await open(link)
  t.match({ email, data }, { email: 'eve@example.com', data: { team: 'Analysts' } })
  const accepted = await accept({ username: 'eve', password })
  t.equal(accepted.status, 201)
  t.match(await accepted.json(), { user: { username: 'eve', email_verified: true } })
  t.equal(await open(link), undefined)
})
