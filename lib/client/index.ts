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
/** What a newer or a stronger proof mends. */
const provable = /^ACCOUNTS_TOKEN_(STALE|WEAK)$/
/** Where a login may say how its tokens travel. */
const entrances = /(login|register|complete|accept)$/
/** A first step was right, and its ticket is for the second. */
const halfway = /^ACCOUNTS_FACTOR_.*REQUIRED$/

/**
 * Makes a client of the accounts of one server, for a browser or for Node. One is enough for a page; all tabs share a
 * login by their store.
 */
export function createClient<Fields = unknown> (options: ClientOptions = {}): Client<Fields> {
  type Account = User & Fields
  const { baseUrl = '/auth', store = 'localStorage', origins = [], timeoutMs = 12_000, onStepUp } = options
  const inCookies = store === 'cookie'
  const name = `accounts:${baseUrl}`
  const isShared = globalThis.document && store !== 'memory'
  const state = createState<Account>(typeof store === 'object' ? store : pageStore(name, isShared))

  let queue: Promise<unknown> = Promise.resolve()
  let ticket: string | undefined
  /** Cookies may be there that this page does not know of, until a refresh was refused. */
  let mayBeIn = inCookies

  /** Only when it is needed: a page that is rendered on a server has no address there. */
  const base = () => new URL(baseUrl.replace(/\/*$/, '/'), globalThis.location?.href).href
  const isOurs = ({ url }: Request) => url.startsWith(base())

  /**
   * Whatever may make tokens is alone, in all tabs where the browser has locks: of cookies it keeps those that come
   * last. A tab that sleeps with the lock keeps the others waiting for a while only.
   */
  function alone<Result> (work: () => Promise<Result>): Promise<Result> {
    let begun: Promise<Result> | undefined
    const begin = () => (begun ??= work())
    const turn = queue.then(() => globalThis.navigator?.locks
      ?.request(name, { signal: AbortSignal.timeout(timeoutMs) }, begin).catch(begin) ?? begin())
    queue = turn.catch(() => {})
    return turn as Promise<Result>
  }

  /** Sends a request with what the store holds now. */
  async function send (given: Request): Promise<Response> {
    const request = new Request(given, {
      ...isOurs(given) && { signal: AbortSignal.any([given.signal, AbortSignal.timeout(timeoutMs)]) },
      credentials: options.credentials!,
    })
    const { headers, method, url } = request
    const { access_token: token, csrf_token: csrf } = state.load() ?? {}
    if ([new URL(base()).origin, ...origins].includes(new URL(url).origin)) {
      if (token && !headers.has('authorization')) headers.set('authorization', `Bearer ${token}`)
      // Where its cookie can be read, the value is that of the cookies that are sent along.
      const [,, proof = csrf] = /(^| |__\w+-)csrf=([^;]+)/.exec(globalThis.document?.cookie) ?? []
      if (proof && method !== 'GET') headers.set('x-csrf-token', proof)
    }
    return (options.fetch ?? fetch)(request)
  }

  /** Sends once, stores what the answer brings, and tells which tokens were current then. */
  async function once (request: Request): Promise<{ answer: Response, mark: number | undefined }> {
    const work = async () => {
      const held = state.load()
      const answer = await send(request)
      if (isOurs(request) && answer.ok) take(await bodyOf(answer.clone()) ?? {}, held)
      return { answer, mark: held?.mark }
    }
    return isOurs(request) && request.method !== 'GET' ? alone(work) : work()
  }

  /**
   * Stores tokens: those of a new session over whatever is there, those of the session that asked unless another login
   * came meanwhile. And stores what has changed of the user.
   */
  function take (said: Partial<Held<Account> & User>, sent: Held<Account> | null): void {
    const held = state.load()
    const { user, access_token: access, refresh_token: refresh, csrf_token: csrf } = said
    if (user && (refresh || csrf)) {
      if (sessionOf(said) === sessionOf(sent) && sessionOf(held) !== sessionOf(sent)) return
      mayBeIn = inCookies
      state.save({ user, access_token: access, refresh_token: refresh, csrf_token: csrf, mark: Math.random() })
    } else if (held && said.username !== undefined && said.id === held.user.id) {
      state.save({ ...held, user: said as Account })
    }
  }

  function request (path: string, body?: object, method = 'POST'): Request {
    const sent = inCookies && entrances.test(path) ? { transport: 'cookie', ...body } : body
    const content = sent && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(sent) }
    return new Request(new URL(path, base()), { method, ...content })
  }

  /** Shows the refresh token, where it is no cookie; twice where no answer comes, which is safe. */
  function show (path: string, token: string | undefined): Promise<Response> {
    const shown = request(path, token ? { refresh_token: token } : undefined)
    return send(shown.clone()).catch(() => send(shown))
  }

  /** Gets other tokens than those that are held. @throws where nobody knows */
  async function refresh (isLast = false): Promise<void> {
    const before = state.load()
    if (!before && !mayBeIn) return
    const token = before?.refresh_token
    const isOther = () => state.load()?.mark !== before?.mark

    const isBehind = await alone(async () => {
      if (isOther()) return
      const beganAt = Date.now()
      const answer = await show('refresh', token)
      const said = await bodyOf(answer)
      if (isOther()) return
      // A laptop has slept meanwhile, and its timers with it. An answer that is so old must not be stored.
      if (token && Date.now() - beganAt > 2 * timeoutMs) throw new DOMException('', 'TimeoutError')
      if (answer.ok && said?.user) return take(said, before)
      if (answer.status !== 401) throw new AccountsError(answer, said)
      if (said?.code === 'ACCOUNTS_TOKEN_SUPERSEDED') return true
      forget()
    })
    if (!isBehind) return
    await new Promise((resolve) => setTimeout(resolve, timeoutMs / 6))
    if (isOther()) return
    if (!token && !isLast) return refresh(true)
    state.distrust()
  }

  function forget (): void {
    mayBeIn = false
    state.save(null)
  }

  const refreshOnce = single(refresh)
  const stepUp = single(async (code: string) => onStepUp!({ code }))

  /** Whether there are newer tokens than those: a refresh is for those that are the newest alone. */
  async function renew (mark: number | undefined): Promise<boolean> {
    const isNewer = () => (state.load()?.mark ?? mark) !== mark
    if (!isNewer()) await refreshOnce()
    return isNewer()
  }

  async function ask (input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const whole = new Request(
      input instanceof Request ? input : new URL(input, globalThis.document?.baseURI ?? base()), init)
    const sendAgain = async () => (await once(whole.clone())).answer
    let { answer, mark } = await once(whole.clone())
    if (curable.test(await codeOf(answer)) && await renew(mark)) answer = await sendAgain()
    const code = await codeOf(answer)
    return onStepUp && provable.test(code) && await stepUp(code) !== false ? sendAgain() : answer
  }

  const call: Client<Fields>['call'] = async (route, given: Record<string, any> = {}) => {
    const { params = {}, query = {}, body } = given
    const [method, path] = route.split(' /') as [string, string]
    const filled = path.replace(/{(\w+)}/g, (_, name) => encodeURIComponent(params[name]))
    const answer = await ask(request(`${filled}?${new URLSearchParams(query)}`.replace(/\?$/, ''), body, method))
    const said = await bodyOf(answer)
    if (answer.ok) return said
    if (halfway.test(said?.code)) ticket = said.ticket
    throw new AccountsError(answer, said)
  }

  const enter = (path: string, body?: object): Promise<Entered<Account>> =>
    call(`POST /${path}` as 'POST /login', { body } as any).then(
      (said: any) => said.challenge_id ? { needs: 'email', ...said } : said,
      (error) => {
        if (!halfway.test(error.code)) throw error
        const { factors, may_enrol: mayEnrol } = error.body
        return mayEnrol ? { needs: 'enrolment', mayEnrol, ticket } : { needs: 'factor', factors }
      })

  return {
    fetch: ask,
    call,
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
      const answer = await alone(() => show('logout', token)).finally(() => token && forget())
      if (!answer.ok && answer.status !== 401) throw new AccountsError(answer, await bodyOf(answer))
      forget()
    },

    passkey: createPasskeys<Fields, Account>({ call, enter, ticket: () => ticket }),
  }
}

/** Calls that come while one is under way get what that one gives. */
function single<Given extends unknown[], Result> (work: (...given: Given) => Promise<Result>) {
  let running: Promise<Result> | undefined
  return (...given: Given) => (running ??= work(...given).finally(() => { running = undefined }))
}

/** What an answer says; undefined where that is nothing, or no JSON. */
const bodyOf = (answer: Response): Promise<any> => answer.json().catch((error) => {
  if (error.name !== 'SyntaxError') throw error
})

/** The code of a refusal for want of a good token. */
const codeOf = async (answer: Response): Promise<string> =>
  answer.status === 401 ? (await bodyOf(answer.clone()))?.code : ''

/** The session of tokens, by the claim `sid`. With cookies nobody can see it. */
function sessionOf (held: { refresh_token?: string | undefined } | null): unknown {
  try {
    const [, payload] = held!.refresh_token!.split('.')
    return JSON.parse(atob(payload!.replace(/-/g, '+').replace(/_/g, '/'))).sid
  } catch {
    return undefined
  }
}
