import { generateKeyPairSync } from 'node:crypto'
import formbody from '@fastify/formbody'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest, InjectOptions } from 'fastify'
import type { Test } from 'tap'
import type { AccountsOptions, GuardOptions, TokenResponse } from '../../../lib/index.ts'
import { build, buildOnFile, decode, mint, password, secret } from '../../support/build.ts'

export const now = () => Math.floor(Date.now() / 1000)
export const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })

let newcomers = 0
/** A name that nobody has yet. */
export const newName = () => `newcomer-${++newcomers}`

export const who = async ({ user, auth }: FastifyRequest) => ({ user, auth })

/** A route for each way to guard one. */
const guards: Record<string, GuardOptions> = {
  optional: { optional: true },
  fresh: { fresh: true },
  body: { locations: ['body'] },
  cookie: { locations: ['cookie'] },
  any: { type: 'any' },
  stateless: { consistency: 'stateless' },
  admin: { roles: ['admin'] },
  checked: { check: ({ username }) => username === 'ada' },
}

export function addGuarded (app: FastifyInstance) {
  for (const [name, options] of Object.entries(guards)) { app.post(`/${name}`, { preHandler: app.accounts.guard(options) }, who) }
  app.put('/guarded', { preHandler: app.authenticate }, who)
  app.get('/by-hand', async (request) => {
    await app.accounts.guard()(request)
    return who(request)
  })
}

const codes = [
  'TOKEN_MISSING',
  'TOKEN_INVALID',
  'TOKEN_EXPIRED',
  'TOKEN_STALE',
  'TOKEN_REVOKED',
  'TOKEN_WRONG_TYPE',
  'CLAIMS_REFUSED',
].map((name) => `ACCOUNTS_${name}`)

/** Cookies as a browser has them after a login, and the value that goes with them. */
export async function browse (app: FastifyInstance, username: string) {
  const answer = await app.inject({ method: 'POST', url: '/auth/register', payload: { username, password } })
  const send = (url: string, headers: Record<string, string> = {}, rest: InjectOptions = {}) =>
    app.inject({
      method: 'POST',
      url,
      headers: { cookie: answer.cookies.map(({ name, value }) => `${name}=${value}`).join('; '), ...headers },
      ...rest,
    })
  return { answer, send, value: answer.json().csrf_token as string }
}

export type Browser = Awaited<ReturnType<typeof browse>>

type Answered = Pick<Browser, 'answer'>
type Cookie = Browser['answer']['cookies'][number]

export const cookieOf = ({ answer }: Answered, name: string) => answer.cookies.find((cookie) => cookie.name === name)

/** One attribute of every cookie. */
export const all = ({ answer }: Answered, attribute: keyof Cookie) => answer.cookies.map((cookie) => cookie[attribute])

/** The apps that the examples are tried on, and those who are known there. */
export async function startApps (t: Test) {
  const refusedIds = new Set<unknown>()
  const revokedIds = new Set<unknown>()

  /** Nothing but defaults, and the same that puts everything into cookies. */
  const usual = await build(t)
  const cookies = await build(t, { transport: 'cookie' })
  for (const { app } of [usual, cookies]) {
    addGuarded(app)
    app.post<{ Body: { id: string } }>('/sso', async (request, reply) =>
      app.accounts.issueTokens(request.body.id, { request, reply, authTime: new Date() })
    )
    app.post('/forget', async (_request, reply) => {
      app.accounts.clearCookies(reply)
    })
  }

  /** All that can be said of cookies, said otherwise. */
  const browser = await build(t, {
    transport: 'cookie',
    cookies: {
      access: { name: 'access_token_cookie', path: '/api' },
      refresh: { name: 'refresh_token_cookie', path: '/auth/refresh' },
      csrf: { name: 'csrf_access_token', path: '/app' },
      domain: 'example.com',
      sameSite: 'strict',
      secure: false,
      persistent: false,
    },
    csrf: { header: 'x-own', formField: 'csrf_field', methods: ['POST'], trustedOrigins: ['https://shop.example.com'] },
  })
  await browser.app.register(formbody)
  addGuarded(browser.app)

  /** All that can be said of tokens, said otherwise. The second key is the secret that tests sign with. */
  const own = await build(t, {
    secret: [{ private: p256.privateKey, kid: 'this-year' }, secret],
    issuer: 'https://id.example.com',
    audience: ['https://api.example.com', 'https://old.example.com'],
    access: { expiresIn: '5m' },
    refresh: { expiresIn: 3600 },
    leeway: '10s',
    claims: ({ username }) => (username === 'root' ? { sub: 'somebody else' } : { tenant: `of ${username}` }),
    headerFields: { region: 'eu' },
    verifyClaims: ({ jti }) => !refusedIds.has(jti),
    isRevoked: ({ jti }) => revokedIds.has(jti),
  })

  /** Tokens in other places, errors in other words and in another shape. */
  const custom = await buildOnFile(t, {
    header: { name: 'X-Access-Token', scheme: 'JWT' },
    locations: ['query', 'header'],
    messages: Object.fromEntries(
      codes.map((code) => [
        code,
        (request, usual) => `${request.headers['accept-language']}: ${code}, ${usual.length}`,
      ])
    ),
    verifyClaims: ({ jti }) => !refusedIds.has(jti),
    user: { fields: { nickname: Type.String() } },
    decoratorName: 'person',
    password: { minLength: 8 },
  })
  addGuarded(custom.app)
  custom.app.get('/person', { preHandler: custom.app.authenticate }, async (request) => request.getDecorator('person'))

  /** Another key and another algorithm, refresh tokens that work once, and a service that may ask about tokens. */
  const api = { id: 'api', secret: 'n3Vb8XqL5wTz2KcR7mHs9PdF4gJyA6eU' }
  const pair = await build(t, {
    secret: { private: rsa.privateKey, public: rsa.publicKey },
    algorithm: 'PS256',
    refresh: { window: 0 },
    introspection: { clients: [api] },
  })

  const ada = await usual.signUp()
  const adaHere = await own.signUp()
  const kid = decode(ada.access_token).header.kid

  /** A token with other claims, signed with the secret of tests. */
  function reissue (token: string, claims: object): string {
    const { header, payload } = decode(token)
    return mint({ ...header, alg: 'HS256', kid }, { ...payload, ...claims })
  }

  const lena = await browse(browser.app, 'lena')
  const mary = await browse(cookies.app, 'mary')

  /**
   * What theirs allow and the plugin has something against, which it says all at once: first of each by itself, then of
   * how they go together.
   */
  const problems = (
    await Promise.all(
      [
        {
          csrf: false,
          leeway: '6m',
          access: { expiresIn: false },
          refresh: { expiresIn: false },
          algorithm: 'HS384',
          secret: 'super-secret',
        },
        { access: { expiresIn: '900' } },
        { header: { scheme: '' }, headerFields: { alg: 'none' }, refresh: { expiresIn: '181d' } },
      ].map((options) =>
        build(t, options as unknown as AccountsOptions).then(
          () => 'none',
          ({ message }) => message
        )
      )
    )
  ).join('; ')

  const isRefused = (t: Test, about: RegExp) => t.match(problems, about)

  /** An account of `custom` and a way to be refused there, in German. */
  async function inGerman (username = newName()) {
    const tokens = (await custom.post('/auth/register', { username, password, nickname: 'N' })).json() as TokenResponse
    const send = (token?: string, url = '/guarded') =>
      custom.app.inject({
        method: 'POST',
        url,
        headers: { 'accept-language': 'de', ...(token !== undefined && { 'x-access-token': `JWT ${token}` }) },
      })
    return { tokens, send }
  }

  return {
    usual,
    cookies,
    browser,
    own,
    custom,
    pair,
    api,
    ada,
    adaHere,
    lena,
    mary,
    kid,
    reissue,
    inGerman,
    problems,
    isRefused,
    refusedIds,
    revokedIds,
  }
}

export type Apps = Awaited<ReturnType<typeof startApps>>
