import createClient, { type Middleware } from 'openapi-fetch'
import { TOTP } from 'otpauth'
import type { components, operations, paths } from './api.ts'

type Tokens = components['schemas']['TokenResponse']

/** Everything that a client does, typed by the document alone. */
export async function tour (baseUrl: string, username: string): Promise<string[]> {
  const told: string[] = []
  const api = createClient<paths>({ baseUrl })
  let tokens: Tokens | undefined
  const bearer: Middleware = {
    onRequest ({ request }) {
      if (tokens && !request.headers.has('authorization')) request.headers.set('authorization', `Bearer ${tokens.access_token}`)
    },
  }
  api.use(bearer)

  const password = 'correct horse battery staple'
  const registered = await api.POST('/auth/register', { body: { username, password } })
  if (!registered.data) throw new Error(registered.error.code)
  const name: string | null = registered.data.user.username
  told.push(`registered ${name}`)

  const again = await api.POST('/auth/register', { body: { username, password } })
  told.push(again.error ? why(again.error.code) : 'registered twice')

  const refused = await api.POST('/auth/login', { body: { username, password: 'something else' } })
  if (refused.error?.code === 'ACCOUNTS_CREDENTIALS_INVALID') {
    const code: 'ACCOUNTS_CREDENTIALS_INVALID' = refused.error.code
    told.push(code)
  }
  // @ts-expect-error A code that login never answers.
  if (refused.error?.code === 'ACCOUNTS_TOKEN_EXPIRED') told.push('impossible')

  const entered = await api.POST('/auth/login', { body: { username, password } })
  tokens = entered.data
  const refreshed = await api.POST('/auth/refresh', { body: refreshTokenOf(tokens) })
  tokens = refreshed.data!

  const { data: list } = await api.GET('/auth/sessions')
  const current = list?.sessions.find((session) => session.current)
  told.push(`${list?.sessions.length} sessions, this one from ${current?.ip ?? 'nowhere'}`)

  const secret = await api.GET('/secret')
  told.push(String(secret.response.status))
  const other = list!.sessions.find((session) => !session.current)!
  told.push(String((await api.DELETE('/auth/sessions/{id}', { params: { path: { id: other.id } } })).response.status))

  // @ts-expect-error A field that no user has.
  const nothing: unknown = tokens.user.passwordHash
  told.push(typeof nothing)

  const begun = await api.POST('/auth/factors/totp', { body: {} })
  if (!begun.data) throw new Error(begun.error.code)
  const app = new TOTP({ secret: begun.data.secret })
  const confirmed = await api.PUT('/auth/factors/totp', {
    body: { enrolment: begun.data.enrolment, code: app.generate() },
  })
  if (!confirmed.data) throw new Error(confirmed.error.code)
  tokens = confirmed.data
  told.push(`${confirmed.data.recovery_codes?.length} recovery codes`)

  const half = await api.POST('/auth/login', { body: { username, password } })
  if (half.error?.code === 'ACCOUNTS_FACTOR_REQUIRED') {
    const { ticket, factors, expires_in: seconds } = half.error
    // @ts-expect-error A member that no refusal has.
    told.push(typeof half.error.factor)
    told.push(`${factors?.join(' or ')} within ${seconds} s`)
    const verified = await api.POST('/auth/factors/verify', {
      body: { ...ticket && { ticket }, code: app.generate({ timestamp: Date.now() + 30_000 }) },
    })
    tokens = verified.data
  }

  told.push(String((await api.POST('/auth/logout', { body: refreshTokenOf(tokens) })).response.status))
  const over = await api.GET('/secret')
  told.push(over.error?.code ?? 'still in')
  return told
}

/** There is one where tokens travel in bodies. */
function refreshTokenOf (tokens: Tokens | undefined) {
  if (!tokens?.refresh_token) throw new Error('There is no refresh token in the body')
  return { refresh_token: tokens.refresh_token }
}

/** Every code that an operation may be refused with. */
type CodeOf<Responses> = { [Status in keyof Responses]: Responses[Status] extends { content: { 'application/json': { code: infer Code } } } ? Code : never }[keyof Responses]

/** What a form would say. */
function why (code: CodeOf<operations['register']['responses']>): string {
  const words: Partial<Record<typeof code, string>> = {
    ACCOUNTS_USER_EXISTS: 'taken',
    ACCOUNTS_PASSWORD_REJECTED: 'choose another password',
  }
  return words[code] ?? 'try later'
}
