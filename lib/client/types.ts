import type { Routes, User } from './routes.ts'
import type { Store } from './store.ts'

/** What a client is made with. Every member may be left out. */
export interface ClientOptions {
  /** Where the routes of the accounts are, with an origin if it is not the page's own. Default `'/auth'`. */
  baseUrl?: string
  /**
   * Where a login is kept. Default `'localStorage'`: tokens that come in bodies are readable there for every script of
   * the page; tokens in cookies are not, and only the user is kept. `'cookie'` asks a server with `transport: 'both'`
   * for cookies. `'memory'` forgets the login with the page.
   */
  store?: 'localStorage' | 'memory' | 'cookie' | Store
  /** Origins that get the access token beside that of `baseUrl`, such as `'https://api.example.com'`. */
  origins?: string[]
  /** `'include'` for cookies of a server on another origin. */
  credentials?: RequestCredentials
  /**
   * Milliseconds until a request to the accounts is given up: less than half the server's `refresh.window`. Default
   * 12,000.
   */
  timeoutMs?: number
  /**
   * Has the user prove once more who they are, by `reauthenticate` or `passkey.reauthenticate`. Called where a route
   * answers `ACCOUNTS_TOKEN_STALE` (too long ago) or `ACCOUNTS_TOKEN_WEAK` (a second factor is missing). The request is
   * then sent again, once; `false` gives up. Requests that need it at the same time share one call.
   */
  onStepUp?: (reason: { code: string }) => unknown
  /** Sends requests in place of the global `fetch`. */
  fetch?: (request: Request) => Promise<Response>
}

/** The outcome of a step towards a login: the user, or what is needed next. */
export type Entered<Account> =
  | { needs?: undefined, user: Account, recovery_codes?: string[] | undefined }
  /** `verify` takes the proof of a second factor: `totp`, `recovery` or `passkey`. */
  | { needs: 'factor', factors: string[] }
  /** The account has to set up a second factor first; the ticket goes into the calls that do so. */
  | { needs: 'enrolment', mayEnrol: string[], ticket: string | undefined }
  /** A mail is on its way. The challenge goes with its code. */
  | { needs: 'email', challenge_id: string }

export type Body<Fields, Name extends keyof Routes> =
  Routes<Fields>[Name] extends { body?: infer Given } ? Given : never

/** The parts of a request to a route: `params`, `query` and `body`. */
export type Given<Fields, Name extends keyof Routes> = Omit<Routes<Fields>[Name], 'answer'>

export interface Passkeys<Account, Fields> {
  /**
   * Signs in with a passkey. With `autofill` the browser offers passkeys among the names that it fills into a field
   * with `autocomplete="username webauthn"`, until one is chosen or another call of `passkey` ends the offer.
   */
  login: (options?: { autofill?: boolean, signal?: AbortSignal }) => Promise<Entered<Account>>
  /** Opens an account without a password. */
  register: (fields: { username: string, email?: string } & Partial<Fields>) => Promise<Entered<Account>>
  /** Proves the second factor of a login. */
  verify: () => Promise<Entered<Account>>
  /** Proves once more who is signed in, as for `onStepUp`. */
  reauthenticate: () => Promise<Entered<Account>>
  /** Adds a passkey to the account. */
  add: (options?: { name?: string }) => Promise<Routes<Fields>['POST /passkeys']['answer']>
}

/**
 * A client of the accounts of one server. Its functions need no `this`. `Fields` are those that the app adds to users.
 */
export interface Client<Fields = unknown, Account = User & Fields> {
  /** Who is signed in, or null: as the last answer said, without asking. The same object until something changes. */
  readonly user: Account | null
  /** Calls the listener at each change of `user`, in other tabs too. Returns what ends that. */
  onChange: (listener: () => void) => () => void
  /**
   * `fetch`, with the access token for the origin of `baseUrl` and those in `origins`. Where the token is over, it
   * refreshes and sends the request again, once. Throws where no answer comes, or none to the refresh.
   */
  fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
  /**
   * Calls a route of the accounts: `call('DELETE /sessions/{id}', { params: { id } })`. Returns the body of the answer.
   * @throws {AccountsError} what the server refuses
   */
  call: <Name extends keyof Routes>(
    route: Name, ...given: object extends Given<Fields, Name> ? [Given<Fields, Name>?] : [Given<Fields, Name>]
  ) => Promise<Routes<Fields>[Name]['answer']>
  register: (body: Body<Fields, 'POST /register'>) => Promise<Entered<Account>>
  login: (body: Body<Fields, 'POST /login'>) => Promise<Entered<Account>>
  /** The second step of a login: `{ code }`, `{ recovery_code }` or `{ credential }`. */
  verify: (proof: Body<Fields, 'POST /factors/verify'>) => Promise<Entered<Account>>
  /** Proves once more who is signed in, by the password; where there is a second factor, `verify` comes next. */
  reauthenticate: (proof: Body<Fields, 'POST /reauthenticate'>) => Promise<Entered<Account>>
  /**
   * Gets the next tokens, and gives the user or null. For pages that open with cookies of a login that they do not
   * know of, as after a sign-in elsewhere; `fetch` refreshes by itself.
   */
  refresh: () => Promise<Account | null>
  /**
   * Ends the session. Where the server does not answer, or refuses, it throws: tokens are forgotten all the same,
   * cookies are still there.
   */
  logout: () => Promise<void>
  passkey: Passkeys<Account, Fields>
}
