import { createHash, createHmac, createSign, createVerify, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import t, { type Test } from 'tap'
import {
  apple, discord, facebook, github, gitlab, google, linkedin, microsoft, oauth, oidc, type Provider,
  type ProviderOptions,
} from '../../../lib/providers.ts'
import { build } from '../../support/build.ts'
import { challenge, endOf, ownPage, verifier } from './with-provider.ts'

const credentials = { clientId: 'shop', clientSecret: 's3 cret' }
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const appleKey = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const p8 = appleKey.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string

/** What a provider answers: metadata and an ID token by the claims where it has OpenID, or what it says by paths. */
interface Recorded {
  /** Where its metadata are. */
  discovery?: { url: string, issuer: string, more?: object }
  claims?: Record<string, unknown>
  /** The answer of its endpoint of tokens. */
  token?: { url: string, answer?: object }
  paths?: Record<string, unknown>
}

/** Provider answers in the shape that each has sent, with names and numbers of nobody. */
const now = Math.floor(Date.now() / 1000)

interface Asked { url: string, body: URLSearchParams, headers: Record<string, string> }

/** A provider that gives recorded answers, and what it was asked. */
function recorded (make: (options: Pick<ProviderOptions, 'fetch'>) => Provider, record: Recorded) {
  const asked: Asked[] = []
  const sent: { nonce?: string | null, audience: string } = { audience: 'shop' }

  const provider = make({
    fetch: async (input, init) => {
      const url = String(input)
      const body = new URLSearchParams(String(init?.body ?? ''))
      asked.push({ url, body, headers: Object.fromEntries(new Headers(init?.headers)) })
      const json = (answer: unknown) =>
        new Response(JSON.stringify(answer), { headers: { 'content-type': 'application/json; charset=utf-8' } })
      const { discovery, claims, token, paths = {} } = record
      if (url === discovery?.url) {
        return json({
          issuer: discovery.issuer,
          authorization_endpoint: 'https://provider.example/authorize',
          token_endpoint: 'https://provider.example/token',
          userinfo_endpoint: 'https://provider.example/userinfo',
          jwks_uri: 'https://provider.example/keys',
          id_token_signing_alg_values_supported: ['RS256'],
          ...discovery.more,
        })
      }
      if (url === 'https://provider.example/keys') {
        return json({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }] })
      }
      if (url === (token?.url ?? 'https://provider.example/token')) {
        const said = { iat: now, exp: now + 600, aud: 'shop', ...sent.nonce && { nonce: sent.nonce }, ...claims }
        return json({
          access_token: 'opaque', token_type: 'Bearer', ...claims && { id_token: signed(said) }, ...token?.answer,
        })
      }
      return url in paths ? json(paths[url]) : new Response('Not Found', { status: 404 })
    },
  })
  return { provider, asked, sent }
}

function signed (claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part({ alg: 'RS256', kid: 'one', typ: 'JWT' })}.${part(claims)}`
  return `${input}.${createSign('sha256').update(input).sign(privateKey).toString('base64url')}`
}

/** Signs somebody up by recorded answers: gives the new user, the URL that the browser went to, and what was asked. */
async function signUpBy (
  t: Test, make: (options: Pick<ProviderOptions, 'fetch'>) => Provider, record: Recorded, more: Record<string, string> = {}
) {
  const { provider, asked, sent } = recorded(make, record)
  const { app, post } = await build(t, {
    providers: [provider], providerFlow: { url: 'https://app.example.com' }, identifiers: ['username', 'email'],
  })
  const begun = await app.inject({
    method: 'POST', url: `/auth/providers/${provider.id}/authorize`, payload: { code_challenge: challenge }, headers: ownPage,
  })
  t.equal(begun.statusCode, 200, begun.body)
  const there = new URL(begun.json().authorization_url)
  const parameters = Object.fromEntries(there.searchParams)
  sent.nonce = parameters.nonce ?? null
  const back = await app.inject({
    url: `/auth/providers/${provider.id}/callback?${new URLSearchParams({ code: 'a-code', state: parameters.state!, ...more })}`,
  })
  const { code } = endOf(back)
  const response = await post('/auth/providers/exchange', { code, code_verifier: verifier })
  return { app, asked, there, parameters, response, user: response.json().user, secret: secretIn(asked) }
}

/** The body and the header in which the client has said who it is. */
function secretIn (asked: Asked[]) {
  const { body, headers } = asked.find(({ body }) => body.get('grant_type') !== null)!
  return { body: Object.fromEntries(body), authorization: headers.authorization }
}

const profile = ({ name }: Record<string, unknown>) => ({ username: String(name).replaceAll(' ', '.') })

t.test('Google vouches for addresses that it serves', async (t) => {
  const claims = {
    iss: 'https://accounts.google.com',
    azp: 'shop',
    sub: '110169484474386276334',
    email: 'ada@gmail.com',
    email_verified: true,
    at_hash: undefined,
    name: 'Ada L',
    picture: 'https://lh3.googleusercontent.com/a/x',
    given_name: 'Ada',
    family_name: 'L',
  }
  const discovery = {
    url: 'https://accounts.google.com/.well-known/openid-configuration', issuer: 'https://accounts.google.com',
  }
  const cases: [change: object, email: string | null][] = [
    [{}, 'ada@gmail.com'],
    [{ email: 'ada@example.com', hd: 'example.com' }, 'ada@example.com'],
    [{ email: 'ada@example.com' }, null],
    [{ email_verified: false }, null],
    [{ email_verified: 'true' }, null],
    [{ email_verified: undefined }, null],
    [{ email: undefined }, null],
  ]
  for (const [change, email] of cases) {
    const { user, parameters, secret, there } = await signUpBy(t, (more) =>
      google({ ...credentials, ...more, profile, parameters: { hd: '*' } }), { discovery, claims: { ...claims, ...change } })
    t.match(user, { username: 'Ada.L', email, email_verified: email !== null }, JSON.stringify(change))
    t.equal(there.origin, 'https://provider.example')
    t.match(parameters, {
      client_id: 'shop',
      response_type: 'code',
      scope: 'openid email profile',
      code_challenge_method: 'S256',
      hd: '*',
      redirect_uri: 'https://app.example.com/auth/providers/google/callback',
    })
    t.match(secret.body, { client_id: 'shop', client_secret: 's3 cret', code: 'a-code', code_verifier: String })
  }
})

t.test('GitHub is asked who it is, and for the primary address', async (t) => {
  const paths = {
    'https://api.github.com/user': {
      login: 'ada', id: 583231, node_id: 'MDQ6VXNlcjU4MzIzMQ==', type: 'User', name: 'Ada L', email: 'public@example.com',
    },
    'https://api.github.com/user/emails': [
      { email: 'old@example.com', verified: true, primary: false, visibility: null },
      { email: 'ada@example.com', verified: true, primary: true, visibility: 'private' },
    ],
  }
  const token = {
    url: 'https://github.com/login/oauth/access_token', answer: { scope: 'read:user,user:email', token_type: 'bearer' },
  }
  const { app, asked, there, user, parameters } = await signUpBy(t, (more) =>
    github({ ...credentials, ...more, profile: ({ login }) => ({ username: login }) }), { token, paths })
  t.match(user, { username: 'ada', email: 'ada@example.com', email_verified: true })
  t.equal(there.origin + there.pathname, 'https://github.com/login/oauth/authorize')
  t.notOk(parameters.nonce)
  t.ok(parameters.code_challenge)
  t.equal(asked.find(({ url }) => url.endsWith('/user'))!.headers.authorization, 'Bearer opaque')
  t.match(await app.accounts.identities.list(user.id), [{
    provider: 'github', issuer: 'https://github.com/login/oauth', subject: '583231', email: 'ada@example.com',
  }])

  for (const emails of [[], [{ email: 'ada@example.com', verified: false, primary: true }]]) {
    const { user } = await signUpBy(t, (more) => github({ ...credentials, ...more, profile }), {
      token, paths: { ...paths, 'https://api.github.com/user/emails': emails },
    })
    t.match(user, { username: 'Ada.L', email: null })
  }
  const failed = await signUpBy(t, (more) => github({ ...credentials, ...more }), { token, paths: {} })
  t.equal(failed.response.json().code, 'ACCOUNTS_PROVIDER_FAILED')
  // As it says a wrong code, by a 200.
  const refused = await signUpBy(t, (more) => github({ ...credentials, ...more }), {
    token: { ...token, answer: { access_token: undefined, error: 'bad_verification_code' } }, paths,
  })
  t.equal(refused.response.json().code, 'ACCOUNTS_PROVIDER_FAILED')
  t.match(github({ ...credentials, server: 'https://github.example.com' }), {
    issuer: 'https://github.example.com/login/oauth',
    endpoints: { token: 'https://github.example.com/login/oauth/access_token' },
  })
  const own = await signUpBy(t, (more) => github({ ...credentials, ...more, profile, server: 'https://github.example.com' }), {
    token: { url: 'https://github.example.com/login/oauth/access_token' },
    paths: {
      'https://github.example.com/api/v3/user': paths['https://api.github.com/user'],
      'https://github.example.com/api/v3/user/emails': [],
    },
  })
  t.equal(own.user.username, 'Ada.L')
})

t.test('Apple answers by a form, and gets a secret that is signed', async (t) => {
  const record: Recorded = {
    discovery: { url: 'https://appleid.apple.com/.well-known/openid-configuration', issuer: 'https://appleid.apple.com' },
    claims: {
      iss: 'https://appleid.apple.com',
      aud: 'com.example.web',
      sub: '001234.abcdef',
      email: 'x7y8@privaterelay.appleid.com',
      email_verified: 'true',
      is_private_email: 'true',
      auth_time: now,
      nonce_supported: true,
    },
  }
  const options = { clientId: 'com.example.web', teamId: 'TEAM123456', keyId: 'KEY1234567', privateKey: p8 }
  const { provider, asked, sent } = recorded((more) => apple({
    ...options, ...more, profile: ({ given_name: given, family_name: family }) => ({ username: `${given}.${family}` }),
  }), record)
  const { app } = await build(t, {
    providers: [provider],
    providerFlow: { url: 'https://app.example.com' },
    identifiers: ['username', 'email'],
    transport: 'cookie',
  })
  const begun = await app.inject({ method: 'POST', url: '/auth/providers/apple/authorize', payload: {}, headers: ownPage })
  const { nonce, state, response_mode: mode, scope } = Object.fromEntries(
    new URL(begun.json().authorization_url).searchParams)
  t.same([mode, scope], ['form_post', 'openid name email'])
  sent.nonce = nonce!
  const cookie = String(begun.headers['set-cookie']).split(';')[0]!
  t.match(begun.headers['set-cookie'], /; SameSite=Lax/)

  const user = JSON.stringify({ name: { firstName: 'Ada', lastName: 'L' }, email: 'eve@example.com' })
  const posted = await app.inject({
    method: 'POST',
    url: '/auth/providers/apple/callback',
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://appleid.apple.com' },
    payload: new URLSearchParams({ state: state!, code: 'a-code', user, id_token: 'ignored' }).toString(),
  })
  t.equal(posted.statusCode, 303)
  const location = new URL(posted.headers.location!)
  t.equal(location.origin + location.pathname, 'https://app.example.com/auth/providers/apple/callback')
  t.same([...location.searchParams.keys()].toSorted(), ['code', 'state', 'user'])
  t.notOk(posted.headers['set-cookie'])

  const back = await app.inject({ url: location.href, headers: { cookie } })
  t.same(endOf(back), { page: 'https://app.example.com/' })
  t.match(await app.accounts.users.find('Ada.L'), { email: 'x7y8@privaterelay.appleid.com', email_verified: true })
  const { body } = secretIn(asked)
  const [header, claims, signature] = body.client_secret!.split('.') as [string, string, string]
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
  t.same(read(header), { alg: 'ES256', kid: 'KEY1234567' })
  t.match(read(claims), { iss: 'TEAM123456', sub: 'com.example.web', aud: 'https://appleid.apple.com', exp: Number })
  const key = { key: appleKey.publicKey as KeyObject, dsaEncoding: 'ieee-p1363' as const }
  t.ok(createVerify('sha256').update(`${header}.${claims}`).verify(key, signature, 'base64url'))
})

t.test('whatever a form of Apple says beside is no name', async (t) => {
  const record: Recorded = {
    discovery: { url: 'https://appleid.apple.com/.well-known/openid-configuration', issuer: 'https://appleid.apple.com' },
    claims: { iss: 'https://appleid.apple.com', aud: 'shop', sub: '001234.abcdef', email: 'a@example.com', email_verified: true },
  }
  const options = { clientId: 'shop', teamId: 'T', keyId: 'K', privateKey: p8 }
  for (const user of ['x', '{}', 'null', '{"name":null}', '{"name":{"lastName":1}}', '{"name":{"firstName":"A"}}']) {
    const { user: made } = await signUpBy(t, (more) => apple({
      ...options, ...more, profile: (said) => ({ username: `of${String(said.family_name).length}` }),
    }), record, { user })
    t.match(made, { email: 'a@example.com', email_verified: true })
  }
})

t.test('Microsoft vouches for addresses of one tenant, and of many for domains of the tenant', async (t) => {
  const tid = '72f988bf-86f1-41af-91ab-2d7cd011db47'
  const claims = {
    iss: `https://login.microsoftonline.com/${tid}/v2.0`,
    tid,
    sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
    oid: '690222be-ff1a-4d56-abd1-7e4f7d38e474',
    name: 'Ada L',
    preferred_username: 'ada@example.com',
    email: 'ada@example.com',
    ver: '2.0',
  }
  const of = (tenant: string, issuer: string) =>
    ({ url: `https://login.microsoftonline.com/${tenant}/v2.0/.well-known/openid-configuration`, issuer })
  const many = 'https://login.microsoftonline.com/{tenantid}/v2.0'
  const cases: [tenant: string, issuer: string, change: object, email: string | null][] = [
    [tid, claims.iss, {}, 'ada@example.com'],
    ['contoso.onmicrosoft.com', claims.iss, {}, 'ada@example.com'],
    ['common', many, {}, null],
    ['Common', many, {}, null],
    ['organizations', many, { email_verified: true }, null],
    ['consumers', many, { xms_edov: false }, null],
    ['common', many, { xms_edov: '1' }, null],
    ['common', many, { xms_edov: true }, 'ada@example.com'],
    ['organizations', many, { xms_edov: 1 }, 'ada@example.com'],
  ]
  for (const [tenant, issuer, change, email] of cases) {
    const make = (more: object) => microsoft({ ...credentials, ...more, tenant, profile })
    const { app, user, response } = await signUpBy(t, make, {
      discovery: of(tenant, issuer), claims: { ...claims, ...change },
    })
    t.match(user, { username: 'Ada.L', email }, `${tenant} ${JSON.stringify(change)}: ${response.body}`)
    t.match(await app.accounts.identities.list(user.id), [{ issuer: claims.iss }], 'of the tenant that it is')
  }
  const other = await signUpBy(t, (more) => microsoft({ ...credentials, ...more, tenant: tid, profile }), {
    discovery: of(tid, claims.iss), claims: { ...claims, iss: 'https://login.microsoftonline.com/other/v2.0', tid: 'other' },
  })
  t.equal(other.response.json().code, 'ACCOUNTS_PROVIDER_FAILED', 'another tenant than that of the options')
})

t.test('GitLab, LinkedIn and Discord vouch for an address where the app trusts them, and it is verified', async (t) => {
  const claims = { sub: '42', name: 'Ada L', email: 'ada@example.com', email_verified: true }
  const gitlabOf = { url: 'https://gitlab.com/.well-known/openid-configuration', issuer: 'https://gitlab.com' }
  const linkedinOf = {
    url: 'https://www.linkedin.com/oauth/.well-known/openid-configuration', issuer: 'https://www.linkedin.com/oauth',
  }
  for (const trustEmail of [true, false]) {
    for (const isVerified of [true, false]) {
      const email = trustEmail && isVerified ? 'ada@example.com' : null
      const said = { ...claims, email_verified: isVerified }
      const byGitlab = await signUpBy(t, (more) => gitlab({ ...credentials, ...more, profile, trustEmail }), {
        discovery: gitlabOf,
        claims: { iss: 'https://gitlab.com', sub: '42', sub_legacy: 'x' },
        paths: { 'https://provider.example/userinfo': { ...said, nickname: 'ada', groups: [] } },
      })
      t.match(byGitlab.user, { username: 'Ada.L', email })
      const byLinkedin = await signUpBy(t, (more) => linkedin({ ...credentials, ...more, profile, trustEmail }), {
        discovery: linkedinOf,
        claims: { iss: 'https://www.linkedin.com/oauth', sub: '782bbtaQ' },
        paths: {
          'https://provider.example/userinfo': { ...said, sub: '782bbtaQ', locale: { country: 'US', language: 'en' } },
        },
      })
      t.match(byLinkedin.user, { username: 'Ada.L', email })
      t.notOk(byLinkedin.parameters.code_challenge, 'it refuses clients with a secret that have one')
      t.notOk(byLinkedin.secret.body.code_verifier)
      t.notOk(byLinkedin.parameters.nonce)
      const byDiscord = await signUpBy(t, (more) => discord({ ...credentials, ...more, profile, trustEmail }), {
        token: { url: 'https://discord.com/api/oauth2/token', answer: { expires_in: 604800, scope: 'identify email' } },
        paths: {
          'https://discord.com/api/users/@me': {
            id: '80351110224678912', username: 'nelly', name: 'Ada L', email: 'ada@example.com', verified: isVerified,
          },
        },
      })
      t.match(byDiscord.user, { username: 'Ada.L', email })
    }
  }
  t.equal(gitlab({ ...credentials, server: 'https://git.example.com/' }).issuer, 'https://git.example.com')
})

t.test('Facebook is asked with a proof that the token is of this app, and vouches for no address', async (t) => {
  const proof = createHmac('sha256', 's3 cret').update('opaque').digest('hex')
  const { user, there } = await signUpBy(t, (more) => facebook({ ...credentials, ...more, profile }), {
    token: { url: 'https://graph.facebook.com/v23.0/oauth/access_token', answer: { token_type: 'bearer', expires_in: 5183944 } },
    paths: {
      [`https://graph.facebook.com/v23.0/me?fields=id,name,email&appsecret_proof=${proof}`]:
        { id: '10158', name: 'Ada L', email: 'ada@example.com' },
    },
  })
  t.match(user, { username: 'Ada.L', email: null })
  t.equal(there.origin + there.pathname, 'https://www.facebook.com/v23.0/dialog/oauth')
  t.equal(facebook({ ...credentials, version: 'v24.0' }).endpoints!.token, 'https://graph.facebook.com/v24.0/oauth/access_token')
})

t.test('any provider of OpenID is asked as it is to be', async (t) => {
  const discovery = { url: 'http://localhost:4000/realm/.well-known/openid-configuration', issuer: 'http://localhost:4000/realm' }
  const claims = { iss: 'http://localhost:4000/realm', sub: '1', name: 'Ada L', email: 'ada@example.com', email_verified: true }
  const usual = { id: 'work', issuer: discovery.issuer, clientId: 'shop', profile, userInfo: false }
  const secrets: [given: object, header: string | undefined, body: string | undefined][] = [
    [{}, undefined, undefined],
    [{ clientSecret: 's3 cret' }, `Basic ${btoa('shop:s3+cret')}`, undefined],
    [{ clientSecret: 's3 cret', secretIn: 'body' }, undefined, 's3 cret'],
  ]
  for (const [given, header, body] of secrets) {
    const make = (more: object) => oidc({ ...usual, ...given, ...more })
    const { user, secret, asked } = await signUpBy(t, make, { discovery, claims })
    t.match(user, { username: 'Ada.L', email: null }, 'nothing is trusted that the app does not trust')
    t.same([secret.authorization, secret.body.client_secret], [header, body])
    t.notOk(asked.some(({ url }) => url.endsWith('userinfo')))
  }
  const trusted = await signUpBy(t, (more) => oidc({ ...usual, ...more, trustEmail: true }), { discovery, claims })
  t.match(trusted.user, { email: 'ada@example.com', email_verified: true })
  const without = await signUpBy(t, (more) => oidc({ ...usual, ...more, userInfo: true }), {
    discovery: { ...discovery, more: { userinfo_endpoint: undefined } }, claims,
  })
  t.equal(without.response.statusCode, 200, 'a provider may have no user info')
})

t.test('an ID token of a longer hash is held to its access token by that', async (t) => {
  const discovery = { url: 'https://sso.example.com/.well-known/openid-configuration', issuer: 'https://sso.example.com' }
  const { response } = await signUpBy(t, (more) => oidc({
    id: 'work', issuer: 'https://sso.example.com', clientId: 'shop', userInfo: false, ...more,
  }), { discovery, claims: { iss: 'https://sso.example.com', sub: '1', at_hash: 'AAAA' } })
  t.equal(response.json().code, 'ACCOUNTS_PROVIDER_FAILED')
})

t.test('any provider of OAuth is asked by the app', async (t) => {
  const usual = {
    id: 'forge',
    authorization: 'https://forge.example/authorize',
    token: 'https://forge.example/token',
    scope: ['profile'],
    clientId: 'shop',
    describe: async (ask: (url: string) => Promise<unknown>) => await ask('https://forge.example/me') as any,
    person: ({ id, mail }: Record<string, unknown>) => ({ subject: String(id), email: String(mail), isVouched: true }),
    profile,
  }
  const record = {
    token: { url: 'https://forge.example/token' },
    paths: { 'https://forge.example/me': { id: 7, name: 'Ada L', mail: 'ada@example.com' } },
  }
  const secrets: [given: object, header: string | undefined, body: string | undefined][] = [
    [{}, undefined, undefined],
    [{ clientSecret: 's3 cret' }, undefined, 's3 cret'],
    [{ clientSecret: 's3 cret', secretIn: 'header' }, `Basic ${btoa('shop:s3+cret')}`, undefined],
  ]
  for (const [given, header, body] of secrets) {
    const { app, user, secret } = await signUpBy(t, (more) => oauth({ ...usual, ...given, ...more }), record)
    t.match(user, { username: 'Ada.L', email: 'ada@example.com', email_verified: true })
    t.same([secret.authorization, secret.body.client_secret], [header, body])
    t.match(await app.accounts.identities.list(user.id), [{ issuer: 'https://forge.example', subject: '7' }])
  }
  const broken = await signUpBy(t, (more) => oauth({ ...usual, ...more, person: () => { throw new Error('mine') } }), record)
  t.match(broken.response.json(), { statusCode: 500, message: 'Internal Server Error' }, 'nobody is let in')
})

t.test('whom a provider does not name is nobody', async (t) => {
  for (const id of [undefined, null, {}, '', 'x'.repeat(256), 'a\u0000b']) {
    const { response } = await signUpBy(t, (more) => discord({ ...credentials, ...more, profile }), {
      token: { url: 'https://discord.com/api/oauth2/token' },
      paths: { 'https://discord.com/api/users/@me': { id, name: 'Ada L' } },
    })
    t.equal(response.json().code, 'ACCOUNTS_PROVIDER_FAILED', JSON.stringify(id))
  }
})

t.test('a provider without a fetch of its own is asked by the global one', async (t) => {
  const { fetch: global } = globalThis
  t.teardown(() => { globalThis.fetch = global })
  const { provider: { fetch: record } } = recorded((more) => discord({ ...credentials, ...more }), {
    token: { url: 'https://discord.com/api/oauth2/token' },
    paths: { 'https://discord.com/api/users/@me': { id: '7', name: 'Ada L' } },
  })
  globalThis.fetch = record!
  const { provider, asked } = recorded((more) => discord({ ...credentials, ...more, profile }), {})
  const { app, post } = await build(t, {
    providers: [{ ...provider, fetch: undefined }], providerFlow: { url: 'https://app.example.com' },
  })
  const begun = await post('/auth/providers/discord/authorize', { code_challenge: challenge })
  const state = new URL(begun.json().authorization_url).searchParams.get('state')
  const back = await app.inject({ url: `/auth/providers/discord/callback?code=x&state=${state}` })
  const response = await post('/auth/providers/exchange', { code: endOf(back).code, code_verifier: verifier })
  t.equal(response.json().user.username, 'Ada.L')
  t.same(asked, [])
})

t.test('an ID token by Ed25519 is held to its access token by the hash of that', async (t) => {
  const pair = generateKeyPairSync('ed25519')
  const discovery = {
    url: 'https://sso.example.com/.well-known/openid-configuration',
    issuer: 'https://sso.example.com',
    more: { id_token_signing_alg_values_supported: ['Ed25519'], jwks_uri: 'https://sso.example.com/keys' },
  }
  const digest = createHash('sha512').update('opaque').digest().subarray(0, 32).toString('base64url')
  for (const hash of [digest, digest.replace(/^./, (first) => first === 'A' ? 'B' : 'A')]) {
    let nonce = ''
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const token = () => {
      const said = { iss: discovery.issuer, sub: '1', aud: 'shop', iat: now, exp: now + 600, nonce, at_hash: hash }
      const input = `${part({ alg: 'Ed25519', kid: 'two' })}.${part(said)}`
      return `${input}.${sign(null, Buffer.from(input), pair.privateKey).toString('base64url')}`
    }
    const answer = { get id_token () { return token() } }
    const { provider, sent } = recorded((more) => oidc({
      id: 'work', issuer: discovery.issuer, clientId: 'shop', userInfo: false, ...more, profile: () => ({ username: 'ada' }),
    }), {
      discovery,
      token: { url: 'https://provider.example/token', answer },
      paths: { 'https://sso.example.com/keys': { keys: [{ ...pair.publicKey.export({ format: 'jwk' }), kid: 'two' }] } },
    })
    const { app, post } = await build(t, { providers: [provider], providerFlow: { url: 'https://app.example.com' } })
    const begun = await post('/auth/providers/work/authorize', { code_challenge: challenge })
    const { state, ...asked } = Object.fromEntries(new URL(begun.json().authorization_url).searchParams)
    nonce = asked.nonce!
    t.notOk(sent.nonce)
    const back = await app.inject({ url: `/auth/providers/work/callback?code=x&state=${state}` })
    const response = await post('/auth/providers/exchange', { code: endOf(back).code, code_verifier: verifier })
    t.equal(response.json().code ?? 'in', hash === digest ? 'in' : 'ACCOUNTS_PROVIDER_FAILED')
  }
})

t.test('choices that are none are refused where they are written', (t) => {
  const wrong: [() => unknown, RegExp][] = [
    [() => google({ clientId: '', clientSecret: 'x' }), /Google: clientId is needed/],
    [() => google({ clientId: 'x' } as never), /Google: clientSecret is needed/],
    [() => google({ ...credentials, id: 'Google' }), /id must be/],
    [() => google({ ...credentials, name: '' }), /name must be/],
    [() => google({ ...credentials, scope: ['a b'] }), /scope must be/],
    [() => google({ ...credentials, scope: 'openid' as never }), /scope must be/],
    [() => microsoft({ ...credentials } as never), /tenant must be/],
    [() => microsoft({ ...credentials, tenant: '../x' }), /tenant must be/],
    [() => apple({ clientId: 'x', teamId: 'T', keyId: 'K', privateKey: 'no' }), /privateKey must be/],
    [() => apple({ clientId: 'x', teamId: 'T', keyId: 'K', privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string }), /privateKey must be/],
    [() => apple({ clientId: 'x', teamId: '', keyId: 'K', privateKey: p8 }), /teamId and keyId are needed/],
    [() => oidc({ id: 'x', issuer: 'http://sso.example.com', clientId: 'x' }), /issuer must be a URL with https/],
    [() => oidc({ id: 'x', issuer: 'no', clientId: 'x' }), /issuer must be a URL/],
    [() => oidc({ id: 'x', clientId: 'x' } as never), /issuer must be a URL/],
    [() => oauth({ id: 'x', clientId: 'x', scope: [], authorization: 'https://a.example', token: 'https://a.example' } as never), /describe and person/],
  ]
  for (const [make, message] of wrong) t.throws(make, { code: 'ACCOUNTS_OPTIONS_INVALID', message })
  t.end()
})
