import { AccountsError } from './error.ts'
import { createPasskeys } from './passkeys.ts'
import type { User } from './routes.ts'
import { createState, type Held } from './state.ts'
import { pageStore } from './store.ts'
import type { Client, ClientOptions, Entered } from './types.ts'

export { AccountsError } from './error.ts'
export type * from './routes.ts'
export type { Store } from './store.ts'
export type { Client, ClientOptions, Entered, Passkeys } from './types.ts'

/** What a refresh may mend. Where the refresh is refused as well, the login is over. */
const curable = /^ACCOUNTS_TOKEN_(MISSING|EXPIRED|REVOKED|SUPERSEDED|INVALID)$/
const superseded = 'ACCOUNTS_TOKEN_SUPERSEDED'
/** What a newer or a stronger proof mends. */
const provable = /^ACCOUNTS_TOKEN_(STALE|WEAK)$/
/** Where a login may say how its tokens travel. */
const entrances = /^(login|register|passkeys\/login|.+\/(complete|accept))$/
/** A first step was right, and its ticket is for the second. */
const halfway = /^ACCOUNTS_FACTOR_(ENROLMENT_)?REQUIRED$/

/**
 * Makes a client of the accounts of one server, for a browser or for Node. One is enough for a page; all tabs share a
 * login by their store.
 */
export function createClient<Fields = unknown> (options: ClientOptions = {}): Client<Fields> {
  type Account = User & Fields
  const { baseUrl = '/auth', store = 'localStorage', origins = [], timeoutMs = 12_000, onStepUp } = options
  const inCookies = store === 'cookie'
  const name = `accounts:${baseUrl}`
  const isShared = !!globalThis.document && store !== 'memory'
  const state = createState<Account>(typeof store === 'object' ? store : pageStore(name, isShared))

  let queue: Promise<unknown> = Promise.resolve()
  let refreshing: Promise<boolean> | undefined
  let stepping: Promise<unknown> | undefined
  let ticket: string | undefined
  /** Cookies may be there that this page does not know of, until a refresh was refused. */
  let mayBeIn = inCookies

  /** Only when it is needed: a page that is rendered on a server has no address there. */
  const base = () => new URL(baseUrl.replace(/\/*$/, '/'), globalThis.location?.href)

  /**
   * Whatever may make tokens is alone, in all tabs where the browser has locks: of cookies it keeps those that come
   * last. A tab that sleeps with the lock keeps the others waiting for a while only.
   */
  function alone<Result> (work: () => Promise<Result>): Promise<Result> {
    const turn = queue.then(async () => {
      const locks = globalThis.navigator?.locks
      let isBegun = false
      const begin = () => {
        isBegun = true
        return work()
      }
      if (!locks) return work()
      return locks.request(name, { signal: AbortSignal.timeout(timeoutMs) }, begin).catch((error) => {
        if (isBegun) throw error
        return work()
      })
    })
    queue = turn.catch(() => {})
    return turn as Promise<Result>
  }

  /** Sends a request with what the store holds now. */
  async function send (given: Request, withToken = true): Promise<Response> {
    const { href, origin } = base()
    const { method, url, signal } = given
    const request = new Request(given, {
      ...url.startsWith(href) && { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) },
      ...options.credentials && { credentials: options.credentials },
    })
    const { access_token: token, csrf_token: csrf } = state.load() ?? {}
    if ([origin, ...origins].includes(new URL(url).origin)) {
      const { headers } = request
      if (token && withToken && !headers.has('authorization')) headers.set('authorization', `Bearer ${token}`)
      const proof = readableCsrf() ?? csrf
      if (proof && method !== 'GET') headers.set('x-csrf-token', proof)
    }
    return (options.fetch ?? fetch)(request)
  }

  /** Sends once, stores what the answer brings, and tells which tokens were current then. */
  async function once (request: Request): Promise<{ answer: Response, mark: number | undefined }> {
    const { href } = base()
    const { method, url } = request
    const work = async () => {
      const held = state.load()
      const answer = await send(request)
      if (url.startsWith(href) && answer.ok) take(await bodyOf(answer.clone()), held)
      return { answer, mark: held?.mark }
    }
    return url.startsWith(href) && method !== 'GET' ? alone(work) : work()
  }

  /**
   * Stores tokens: those of a new session over whatever is there, those of the session that asked unless another login
   * came meanwhile. And stores what has changed of the user.
   */
  function take (said: Partial<Held<Account>> & Partial<User> | undefined, sent: Held<Account> | null): void {
    const held = state.load()
    const user = said?.user ?? held?.user
    if (!user) return
    if (said?.refresh_token || said?.csrf_token) {
      if (sessionOf(said) === sessionOf(sent) && sessionOf(held) !== sessionOf(sent)) return
      mayBeIn = inCookies
      keep({ ...said, user })
    } else if (held && said?.username !== undefined && said.id === user.id) {
      state.save({ ...held, user: said as Account })
    }
  }

  function keep (said: Held<Account>): void {
    const { user, access_token: access, refresh_token: refresh, csrf_token: csrf } = said
    state.save({ user, access_token: access, refresh_token: refresh, csrf_token: csrf, mark: Math.random() })
  }

  function request (path: string, body?: object, method = 'POST'): Request {
    const sent = inCookies && entrances.test(path) ? { transport: 'cookie', ...body } : body
    const content = sent && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(sent) }
    return new Request(new URL(path, base()), { method, ...content })
  }

  /** Sends once more what gets no answer: for what may safely arrive twice. */
  const surely = (make: () => Request) => send(make(), false).catch(() => send(make(), false))

  /** True where there are other tokens than before. @throws where nobody knows */
  async function refresh (isLast = false): Promise<boolean> {
    const before = state.load()
    if (!before?.refresh_token && !before?.csrf_token && !mayBeIn) return false
    const isOther = () => state.load()?.mark !== before?.mark

    const code = await alone(async () => {
      if (isOther()) return
      const shown = before?.refresh_token
      let sentAt = 0
      const answer = await surely(() => {
        sentAt = Date.now()
        return request('refresh', shown ? { refresh_token: shown } : undefined)
      })
      const said = await bodyOf(answer)
      if (isOther()) return
      // A laptop has slept meanwhile, and its timers with it. An answer that is so old must not be stored.
      if (shown && Date.now() - sentAt > timeoutMs) throw new DOMException('Too late', 'TimeoutError')
      if (answer.ok && said?.user) return keep(said)
      if (answer.status !== 401) throw new AccountsError(answer, said)
      if (said?.code !== superseded) forget()
      return said?.code
    })
    if (code === superseded) {
      await new Promise((resolve) => setTimeout(resolve, timeoutMs / 6))
      if (isOther()) return state.load() !== null
      if (!before?.refresh_token && !isLast) return refresh(true)
      state.distrust()
    }
    return state.load() !== null
  }

  function forget (): void {
    mayBeIn = false
    state.save(null)
  }

  /** One refresh at a time; none for what was sent before the last one. */
  async function renew (mark: number | undefined): Promise<boolean> {
    const held = state.load()
    if (held && held.mark !== mark) return true
    refreshing ??= refresh().finally(() => { refreshing = undefined })
    return refreshing
  }

  async function stepUp (code: string): Promise<boolean> {
    stepping ??= Promise.resolve(onStepUp!({ code })).finally(() => { stepping = undefined })
    return await stepping !== false
  }

  const client: Pick<Client<Fields>, 'fetch' | 'call'> = {
    async fetch (input, init) {
      const whole = new Request(
        input instanceof Request ? input : new URL(input, globalThis.document?.baseURI ?? base()), init)
      const sendAgain = async () => (await once(whole.clone())).answer
      let { answer, mark } = await once(whole.clone())
      if (await codeOf(answer, curable) && await renew(mark)) answer = await sendAgain()
      const code = onStepUp && await codeOf(answer, provable)
      return code && await stepUp(code) ? sendAgain() : answer
    },

    async call (route, given?) {
      const { params = {}, query = {}, body } = (given ?? {}) as Record<string, any>
      const [method, path] = route.split(' ') as [string, string]
      const filled = path.slice(1).replace(/{(\w+)}/g, (_, name) => encodeURIComponent(params[name]))
      const answer = await client.fetch(request(`${filled}?${new URLSearchParams(query)}`.replace(/\?$/, ''), body, method))
      const said = await bodyOf(answer)
      if (answer.ok) return said
      if (halfway.test(said?.code)) ticket = said.ticket
      throw new AccountsError(answer, said)
    },
  }

  const enter = (path: string, body?: object): Promise<Entered<Account>> =>
    client.call(`POST /${path}` as 'POST /login', { body } as any).then(
      (said: any) => said.challenge_id ? { needs: 'email', ...said } : said,
      (error) => {
        const { code, body: { factors, may_enrol: mayEnrol } = {} as any } = error
        if (!halfway.test(code)) throw error
        return mayEnrol ? { needs: 'enrolment', mayEnrol, ticket } : { needs: 'factor', factors }
      })

  return {
    ...client,
    get user () { return state.user() },
    onChange: state.onChange,
    register: (body) => enter('register', body),
    login: (body) => enter('login', body),
    verify: (proof) => enter('factors/verify', { ticket, ...proof }),
    reauthenticate: (proof) => enter('reauthenticate', proof!),

    async refresh () {
      mayBeIn = true
      await renew(state.load()?.mark)
      return state.user()
    },

    async logout () {
      const token = state.load()?.refresh_token
      const answer = await alone(() => surely(() => request('logout', token ? { refresh_token: token } : undefined)))
        .catch((error) => {
          if (token) forget()
          throw error
        })
      if (!answer.ok && answer.status !== 401) throw new AccountsError(answer, await bodyOf(answer))
      forget()
    },

    passkey: createPasskeys<Fields, Account>({ call: client.call, enter, ticket: () => ticket }),
  }
}

/** What an answer says; undefined where that is nothing, or no JSON. */
const bodyOf = (answer: Response): Promise<any> => answer.json().catch((error) => {
  if (error.name !== 'SyntaxError') throw error
})

/** The code of a refusal, where it is one of these. */
async function codeOf (answer: Response, codes: RegExp): Promise<string | undefined> {
  if (answer.status !== 401) return
  const code = (await bodyOf(answer.clone()))?.code
  return codes.test(code) ? code : undefined
}

/** The value against CSRF, where its cookie can be read: it is that of the cookies that are sent along. */
const readableCsrf = () =>
  /(?:^|; )(?:__Host-|__Secure-)?csrf=([^;]+)/.exec(globalThis.document?.cookie)?.[1]

/** The session of tokens, by the claim `sid`. With cookies nobody can see it. */
function sessionOf (held: { refresh_token?: string | undefined } | null): unknown {
  try {
    const [, payload = ''] = held!.refresh_token!.split('.')
    return JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))).sid
  } catch {
    return undefined
  }
}
