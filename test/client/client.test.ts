import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { AccountsError, createClient } from '../../lib/client/index.ts'
import { softPasskey, outbox } from '../../lib/testing.ts'
import type { AccountsOptions } from '../../lib/index.ts'
import { codeOf } from '../features/factors/enrolled.ts'
import { origin, passkeys } from '../features/passkeys/with-passkeys.ts'
import { build, password } from '../support/build.ts'
import { until } from '../support/waiting.ts'
import { baseUrl, browserOf, sharedStore, type Way } from './page.ts'

const names = { username: 'ada', password }
const refused = (code: string, status: number) => ({ name: 'AccountsError', code, status })

t.beforeEach(() => mock.timers.enable({ apis: ['Date'], now: Date.now() }))
t.afterEach(() => mock.timers.reset())

/** Access tokens live for a quarter of an hour. */
const expire = () => mock.timers.tick(16 * 60_000)

async function world (t: Test, options: AccountsOptions = {}) {
  const { app } = await build(t, options)
  app.get('/grave', { preHandler: app.accounts.guard({ fresh: '1m' }) }, async () => 'done')
  return { app, ...browserOf(app) }
}

/** Ada, who is signed in on a page; other tabs share its store. */
async function signedIn (t: Test, options: AccountsOptions = {}, way?: Way) {
  const all = await world(t, options)
  const store = sharedStore()
  const tab = (more: object = {}, other = way) => all.page({ store, ...more }, other)
  const auth = tab()
  await auth.register(names)
  return { ...all, auth, store, tab }
}

/** Gives what a browser has; what was there before comes back after the test. */
function globals (t: Test, names: string[]): (name: string, value: unknown) => void {
  const had = names.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const)
  t.teardown(() => {
    for (const [name, before] of had) {
      if (before) Object.defineProperty(globalThis, name, before)
      else delete (globalThis as any)[name]
    }
  })
  return (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
}

const statuses = async (answers: Promise<Response>[]) => (await Promise.all(answers)).map(({ status }) => status)

t.test('who registers is signed in until they log out, and who listens is told', async (t) => {
  const { page, count } = await world(t)
  const auth = page()
  const told: unknown[] = []
  const end = auth.onChange(() => told.push(auth.user?.username))
  t.equal(auth.user, null)
  t.match(await auth.register(names), { user: { username: 'ada' }, needs: undefined })
  const { user } = auth
  t.match(user, { username: 'ada' })
  t.equal((await auth.fetch('/guarded')).status, 200)
  expire()
  t.equal((await auth.fetch('/guarded')).status, 200)
  t.equal(auth.user, user, 'the same object after a refresh')
  t.equal(count('/auth/refresh'), 1)
  await auth.logout()
  t.equal(auth.user, null)
  t.equal((await auth.fetch('/guarded')).status, 401)
  t.equal(count('/auth/refresh'), 1, 'without a token there is nothing to show')
  end()
  t.match(await auth.login(names), { user: { username: 'ada' } })
  t.strictSame(told, ['ada', undefined])
})

t.test('what the server refuses is thrown with its code', async (t) => {
  const { page, count } = await world(t)
  const auth = page()
  await t.rejects(auth.login(names), refused('ACCOUNTS_CREDENTIALS_INVALID', 401))
  t.equal(count('/auth/login'), 1, 'a wrong password is no matter of tokens')
  await t.rejects(auth.call('POST /password/reset', { body: {} as any }), refused('404', 404))
  const gateway = page({}, async () => new Response('<h1>Busy</h1>', { status: 503, headers: { 'retry-after': '3' } }))
  const error = await gateway.login(names).catch((error) => error)
  t.ok(error instanceof AccountsError)
  t.match(error, { code: '503', status: 503, retryAfter: 3, message: '503', body: {} })
})

t.test('requests that find the token expired share one refresh, in all tabs', async (t) => {
  const { auth, tab, count } = await signedIn(t)
  const other = tab()
  expire()
  const json = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }
  t.strictSame(await statuses([
    auth.fetch('/guarded'), auth.fetch('/guarded', json),
    auth.fetch(new Request('https://app.example.com/strict')),
  ]), [200, 200, 200])
  t.equal(count('/auth/refresh'), 1)
  t.strictSame(await statuses([other.fetch('/guarded')]), [200])
  t.equal(count('/auth/refresh'), 1)
})

t.test('the token goes to the origin of the accounts and to those that are named, and nowhere else', async (t) => {
  const { auth, tab, sent } = await signedIn(t, {}, async (request, send) =>
    request.url.startsWith('https://app.') ? send() : new Response('', { status: 200 }))
  await auth.fetch('https://evil.example.com/auth/me')
  await tab({ origins: ['https://api.example.com'] }).fetch('https://api.example.com/things')
  await auth.fetch('/open', { headers: { authorization: 'Basic YQ==' } })
  t.strictSame(sent.slice(-3).map(({ headers }) => headers.get('authorization')?.split(' ')[0]), [undefined, 'Bearer', 'Basic'])
})

t.test('a call fills in the path and the query, and what it learns of the user is known', async (t) => {
  const { auth } = await signedIn(t, { routes: { users: true } })
  await auth.login(names)
  const { sessions } = await auth.call('GET /sessions')
  t.equal(sessions.length, 2)
  const { id } = sessions.find(({ current }) => !current)!
  t.equal(await auth.call('DELETE /sessions/{id}', { params: { id } }), undefined)
  t.equal((await auth.call('GET /sessions')).sessions.length, 1)
  t.equal(await auth.call('DELETE /sessions', { query: { keep: 'current' } }), undefined)
  t.match(await auth.call('GET /me'), { username: 'ada' })
})

t.test('a new profile is known at once', async (t) => {
  const { app, auth } = await signedIn(t)
  await app.accounts.users.setRoles(auth.user!.id, ['admin'])
  t.strictSame(auth.user!.roles, [])
  await auth.fetch(`${baseUrl}/me`)
  t.strictSame(auth.user!.roles, ['admin'])
})

t.test('a token of other keys signs the page out', async (t) => {
  const { auth, store } = await signedIn(t)
  const foreign = (text: string) => text.slice(0, -6) + 'AAAAAA'
  const held = store.held()
  const [access, refresh] = [foreign(held.access_token), foreign(held.refresh_token)]
  store.set(JSON.stringify({ ...held, access_token: access, refresh_token: refresh }))
  t.equal((await auth.fetch('/guarded')).status, 401)
  t.equal(auth.user, null)
})

t.test('a refresh that is refused signs out, and no other answer does', async (t) => {
  let answer: (() => Promise<Response>) | undefined
  const { app, auth, count } = await signedIn(t, {}, (request, send) =>
    request.url.endsWith('/refresh') && answer ? answer() : send())
  expire()
  answer = async () => new Response('{"code":"ACCOUNTS_UNAVAILABLE","message":"Later"}', { status: 503 })
  await t.rejects(auth.fetch('/guarded'), { ...refused('ACCOUNTS_UNAVAILABLE', 503), message: 'Later' })
  answer = async () => new Response('<h1>Welcome to the network of this hotel</h1>')
  await t.rejects(auth.fetch('/guarded'), refused('200', 200))
  const before = count('/auth/refresh')
  answer = () => Promise.reject(new TypeError('fetch failed'))
  await t.rejects(auth.fetch('/guarded'), { name: 'TypeError' })
  t.equal(count('/auth/refresh'), before + 2, 'it is safe to repeat, once')
  t.match(auth.user, { username: 'ada' })
  answer = undefined
  t.equal((await auth.fetch('/guarded')).status, 200)
  await app.accounts.sessions.revokeAll(auth.user!.id)
  t.equal((await auth.fetch('/guarded')).status, 401)
  t.equal(auth.user, null)
})

t.test('an answer is dropped where another tab has stored newer tokens, or another login', async (t) => {
  const { store, tab } = await signedIn(t)
  // The name of the lock is another one: a tab of a browser that has none.
  const auth = tab({ baseUrl: `${baseUrl}/` })
  expire()
  let newest: unknown
  const slow = tab({}, async (request, send) => {
    const answer = await send()
    if (request.url.endsWith('/refresh')) {
      await auth.login(names)
      newest = store.held()
    }
    return answer
  })
  t.equal((await slow.fetch('/guarded')).status, 200)
  t.strictSame(store.held(), newest)

  const late = tab({}, async (request, send) => {
    const answer = await send()
    if (request.url.endsWith('/reauthenticate')) {
      await auth.login(names)
      newest = store.held()
    }
    return answer
  })
  await late.reauthenticate({ password })
  t.strictSame(store.held(), newest)
})

t.test('an answer that comes after a laptop has slept is not stored, and what is stored goes on', async (t) => {
  let isAsleep = true
  const { auth, store } = await signedIn(t, {}, async (request, send) => {
    const answer = await send()
    if (isAsleep && request.url.endsWith('/refresh')) mock.timers.tick(3_600_000)
    return answer
  })
  expire()
  const before = store.held()
  await t.rejects(auth.fetch('/guarded'), { name: 'TimeoutError' })
  t.strictSame(store.held(), before)
  isAsleep = false
  t.equal((await auth.fetch('/guarded')).status, 200)
})

t.test('who is told of newer tokens waits for them, and signs out without emptying the store', async (t) => {
  const { auth, store, tab } = await signedIn(t)
  const impatient = tab({ timeoutMs: 60 })
  const before = store.get()
  await auth.reauthenticate({ password })
  const after = store.get()
  store.set(before)
  t.equal((await impatient.fetch('/guarded')).status, 401)
  t.equal(impatient.user, null)
  t.equal(store.get(), before)
  store.set(after)
  t.match(impatient.user, { username: 'ada' })

  store.set(before)
  const patient = tab({ timeoutMs: 3000 }, async (request, send) => {
    const answer = await send()
    if (request.url.endsWith('/refresh')) setTimeout(() => store.set(after))
    return answer
  })
  t.equal((await patient.fetch('/guarded')).status, 200)
})

t.test('with cookies the page knows the user alone, and refreshes', async (t) => {
  const { auth, store, tab, count } = await signedIn(t, { transport: 'cookie' })
  t.strictSame(Object.keys(store.held()), ['user', 'csrf_token', 'mark'])
  expire()
  t.strictSame(await statuses([auth.fetch('/guarded'), auth.fetch('/guarded', { method: 'POST' })]), [200, 200])
  t.equal(count('/auth/refresh'), 1)
  const fresh = tab({ store: sharedStore() })
  t.equal(fresh.user, null)
  t.match(await fresh.refresh(), { username: 'ada' }, 'a page that knows of no login asks')
  await auth.logout()
  t.equal(await fresh.refresh(), null)
  t.equal(auth.user, null)
})

t.test('a server that has both is asked for cookies', async (t) => {
  const { page, sent, count } = await world(t, { transport: 'both' })
  const auth = page({ store: 'cookie', credentials: 'include' })
  t.equal((await auth.fetch('/guarded')).status, 401)
  t.equal((await auth.fetch('/guarded')).status, 401)
  t.equal(count('/auth/refresh'), 1, 'there may be cookies, until the server says that there are none')
  await auth.register(names)
  t.equal(sent.at(-1)!.credentials, 'include')
  expire()
  t.equal((await auth.fetch('/guarded')).status, 200)
})

t.test('with cookies, who is told of newer tokens asks once more', async (t) => {
  const { auth, tab, count } = await signedIn(t, { transport: 'cookie' })
  const told = tab({ timeoutMs: 60 }, async (request, send) => {
    if (!/(auth\/refresh|guarded)$/.test(request.url)) return send()
    return Response.json({ code: 'ACCOUNTS_TOKEN_SUPERSEDED' }, { status: 401 })
  })
  t.equal((await told.fetch('/guarded')).status, 401)
  t.equal(count('/auth/refresh'), 2)
  t.equal(told.user, null)
  t.match(auth.user, { username: 'ada' })
})

t.test('a logout forgets tokens also where the server is away, and says so', async (t) => {
  let isAway = false
  const way: Way = (_, send) => isAway ? Promise.reject(new TypeError('fetch failed')) : send()
  for (const [transport, isOut] of [['body', true], ['cookie', false]] as const) {
    isAway = false
    const { auth } = await signedIn(t, { transport }, way)
    isAway = true
    await t.rejects(auth.logout(), { name: 'TypeError' })
    t.equal(auth.user === null, isOut, transport)
  }
  const { auth } = await signedIn(t, {}, async (request, send) =>
    request.url.endsWith('/logout') ? new Response('', { status: 503 }) : send())
  await t.rejects(auth.logout(), refused('503', 503))
  t.equal(auth.user, null)
})

t.test('a login in two steps says what is needed, and a proof that is too old is asked for once', async (t) => {
  const { app, auth, tab } = await signedIn(t, { factors: { requireFor: ['admin'] } })
  const { enrolment, secret } = await auth.call('POST /factors/totp', { body: {} })
  const { recovery_codes: codes } = await auth.call('PUT /factors/totp', { body: { enrolment, code: codeOf(secret) } })
  t.strictSame(await auth.login(names), { needs: 'factor', factors: ['totp', 'recovery'] })
  await t.rejects(auth.verify({ code: '000000' }), { name: 'AccountsError' })
  t.match(await auth.verify({ recovery_code: codes![0]! }), { user: { username: 'ada' } })

  mock.timers.tick(120_000)
  t.equal((await auth.fetch('/grave')).status, 401)
  let asked = 0
  const page = tab({
    async onStepUp ({ code }: { code: string }) {
      asked++
      t.equal(code, 'ACCOUNTS_TOKEN_STALE')
      t.match(await page.reauthenticate({ password }), { needs: 'factor' })
      await page.verify({ recovery_code: codes![asked]! })
    },
  })
  t.strictSame(await statuses([page.fetch('/grave'), page.fetch('/grave')]), [200, 200])
  t.equal(asked, 1)
  mock.timers.tick(120_000)
  t.equal((await tab({ onStepUp: () => false }).fetch('/grave')).status, 401)

  const { user } = await app.accounts.users.create({ username: 'eve', password }).then((user) => ({ user }))
  await app.accounts.users.setRoles(user.id, ['admin'])
  t.match(await auth.login({ username: 'eve', password }), { needs: 'enrolment', mayEnrol: ['totp'], ticket: String })
})

t.test('a registration that begins with a mail says so', async (t) => {
  const { app, page } = await world(t, { mail: { links: { register: '/welcome' } }, email: { verification: 'first' } })
  const mails = outbox(app)
  const auth = page()
  const begun = await auth.register({ ...names, email: 'ada@example.com' })
  if (begun.needs !== 'email') return t.fail('no mail is needed')
  const code = mails.code(await mails.next('register'))
  await auth.call('POST /register/complete', { body: { challenge_id: begun.challenge_id, code } as any })
  t.match(auth.user, { username: 'ada' })
})

t.test('passkeys register, sign in, are added, and prove', async (t) => {
  const key = softPasskey({ origin })
  const asked: any[] = []
  const chosen = (make: (options: any) => object) => async (options: any) => {
    asked.push(options)
    return { toJSON: () => make(options.publicKey) }
  }
  const as = globals(t, ['PublicKeyCredential', 'navigator'])
  as('PublicKeyCredential', { parseRequestOptionsFromJSON: (json: any) => json, parseCreationOptionsFromJSON: (json: any) => json })
  as('navigator', { credentials: { get: chosen((options) => key.get(options)), create: chosen((options) => key.create(options)) } })

  const { page } = await world(t, { passkeys, factors: {} })
  const auth = page()
  t.match(await auth.passkey.register({ username: 'ada' }), { user: { username: 'ada' } })
  await auth.logout()
  t.match(await auth.passkey.login({ autofill: true, signal: new AbortController().signal }), { user: { username: 'ada' } })
  t.equal(asked.at(-1).mediation, 'conditional')
  t.match(await auth.passkey.login(), { user: { username: 'ada' } })
  t.match(await auth.passkey.reauthenticate(), { user: { username: 'ada' } })
  t.ok(asked.at(-3).signal.aborted, 'what was offered before has ended')

  const eve = page()
  await eve.register({ username: 'eve', password })
  const other = softPasskey({ origin })
  as('navigator', { credentials: { get: chosen((options) => other.get(options)), create: chosen((options) => other.create(options)) } })
  t.match(await eve.passkey.add(), { passkey: { id: String } })
  t.match(await eve.login({ username: 'eve', password }), { needs: 'factor' })
  t.match(await eve.passkey.verify(), { user: { username: 'eve' } })
})

t.test('tabs of a browser share a login by its storage, and tell each other', async (t) => {
  const as = globals(t, ['document', 'localStorage', 'addEventListener'])
  const kept = new Map<string, string>()
  let isFull = false
  const told: (() => void)[] = []
  as('document', { baseURI: 'https://app.example.com/shop/', cookie: '' })
  as('addEventListener', (_: string, listener: () => void) => told.push(listener))
  as('localStorage', {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem (name: string, text: string) {
      if (isFull) throw new Error('QuotaExceededError')
      kept.set(name, text)
    },
    removeItem: (name: string) => kept.delete(name),
  })
  const { page } = await world(t)
  const [one, other] = [page({ store: 'localStorage' }), page({ store: 'localStorage' })]
  const heard: unknown[] = []
  other.onChange(() => heard.push(other.user?.username))
  await one.register(names)
  for (const tell of told) tell()
  for (const tell of told) tell()
  t.strictSame(heard, ['ada'], 'once')
  t.equal((await other.fetch('../guarded')).status, 200, 'relative to the page')

  isFull = true
  await one.login(names)
  t.equal((await one.fetch('../guarded')).status, 200, 'full: this page goes on by itself')
  t.equal(other.user, null, 'and no other has a copy of older tokens')
  isFull = false
  kept.set(`accounts:${baseUrl}`, 'no JSON')
  t.equal(other.user, null)
  await other.login(names)
  await other.logout()
  t.equal(kept.size, 0)

  as('localStorage', undefined)
  const alone = page({ store: 'localStorage' })
  t.equal(alone.user, null)
  await alone.login(names)
  t.match(alone.user, { username: 'ada' }, 'forbidden: as long as the page is there')
})

t.test('a lock that another tab never gives back is waited for only so long', async (t) => {
  const as = globals(t, ['navigator'])
  as('navigator', {
    locks: {
      request: (_: string, { signal }: { signal: AbortSignal }) => new Promise((_resolve, reject) => {
        const waiting = setInterval(() => {}, 1000)
        signal.addEventListener('abort', () => {
          clearInterval(waiting)
          reject(signal.reason)
        })
      }),
    },
  })
  const { page } = await world(t)
  t.match(await page({ timeoutMs: 2000 }).register(names), { user: { username: 'ada' } })
})

t.test('an answer that breaks off is no answer', async (t) => {
  const { auth } = await signedIn(t, {}, async (request, send) => request.url.endsWith('/me')
    ? new Response(new ReadableStream({ pull: (stream) => stream.error(new TypeError('terminated')) }))
    : send())
  await t.rejects(auth.call('GET /me'), { name: 'TypeError' })
})

t.test('what is refused after another request has refreshed is sent again without another refresh', async (t) => {
  let release: (() => void) | undefined
  const { auth, tab, count } = await signedIn(t)
  const slow = tab({}, async (request, send) => {
    const answer = await send()
    if (!release && request.url.endsWith('/strict')) await new Promise<void>((resolve) => { release = resolve })
    return answer
  })
  expire()
  const late = slow.fetch('/strict')
  t.equal((await auth.fetch('/guarded')).status, 200)
  await until(() => release !== undefined)
  release!()
  t.equal((await late).status, 200)
  t.equal(count('/auth/refresh'), 1)
})

t.test('the value against CSRF is that of the cookie, where the page can read it', async (t) => {
  globals(t, ['document'])('document', { baseURI: 'https://app.example.com/', cookie: 'a=b; __Host-csrf=ofcookie' })
  const { page, sent } = await world(t)
  await page().fetch('/open', { method: 'POST' })
  t.equal(sent.at(-1)!.headers.get('x-csrf-token'), 'ofcookie')
})

t.test('tabs that find the token expired at the same time share one refresh', async (t) => {
  const { auth, tab, count } = await signedIn(t)
  const other = tab()
  expire()
  t.strictSame(await statuses([auth.fetch('/guarded'), other.fetch('/guarded')]), [200, 200])
  t.ok(count('/auth/refresh') <= 2)
})

t.test('by default it asks the origin of the page, by the fetch of the page', async (t) => {
  const as = globals(t, ['location', 'fetch'])
  const asked: string[] = []
  as('location', { href: 'https://app.example.com/shop/' })
  as('fetch', async ({ url }: Request) => {
    asked.push(url)
    return Response.json({ username: 'ada' })
  })
  await createClient().call('GET /me')
  t.strictSame(asked, ['https://app.example.com/auth/me'])
})
