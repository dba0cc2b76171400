import t, { type Test } from 'tap'
import accounts from '../../../lib/index.ts'
import { build, cheap, client, decode, mint, password } from '../../support/build.ts'
import { run } from '../../support/snippets.ts'
import { answers, csrfFailed, invalid, missing, revoked, said } from './answers.ts'
import { all, browse, newName, now, p256, startApps, who } from './apps.ts'
import { argumentsHeading, fromFlask, testTable, type Examples } from './tables.ts'

const {
  usual, cookies, own, custom, ada, adaHere,
  mary, reissue, inGerman, isRefused, refusedIds, revokedIds,
} = await startApps(t)

/** Two kinds of users in one app: a token of one is nothing to the other. */
async function twoKinds (t: Test) {
  const { app, signUp, get } = await build(t)
  await app.register(accounts, {
    db: ':memory:',
    secret: { private: p256.privateKey },
    name: 'staff',
    prefix: '/staff',
    password: cheap,
  })
  const staff = app.getDecorator<typeof app.accounts>('staff')
  app.get('/staff-only', { preHandler: staff.authenticate }, who)
  const { access_token: member } = (await client(app).post('/staff/register', { username: 'ada', password })).json()

  await answers(t, get('/staff-only', member), 200, { auth: { instance: 'staff', header: { alg: 'ES256' } } })
  await answers(t, get('/staff-only', (await signUp()).access_token), 401, invalid)
  await answers(t, get('/guarded', member), 401, invalid)
}
const loaders: Examples = {
  async additional_claims_loader (t) {
    await answers(t, own.get('/guarded', adaHere.access_token), 200, { auth: { claims: { tenant: 'of ada' } } })
    t.notOk('tenant' in decode(adaHere.refresh_token).payload)
    await answers(t, own.post('/auth/register', { username: 'root', password }), 500)
  },
  async additional_headers_loader (t) {
    for (const token of [adaHere.access_token, adaHere.refresh_token]) t.equal(decode(token).header.region, 'eu')
    isRefused(t, /headerFields\.alg is reserved/)
  },
  async decode_key_loader (t) {
    await answers(t, own.get('/guarded', reissue(adaHere.access_token, {})), 200)
    const { header, payload } = decode(adaHere.access_token)
    await answers(t, own.get('/guarded', mint({ ...header, alg: 'HS256', kid: 'last-year' }, payload)), 401, invalid)
  },
  async encode_key_loader (t) {
    t.equal(decode(adaHere.access_token).header.kid, 'this-year')
    await twoKinds(t)
  },
  async expired_token_loader (t) {
    const { tokens, send } = await inGerman()
    const past = { iat: now() - 60, exp: now() - 1, auth_time: now() - 60 }
    await answers(t, send(reissue(tokens.access_token, past)), 401, said('ACCOUNTS_TOKEN_EXPIRED'))
  },
  async invalid_token_loader (t) {
    const { tokens, send } = await inGerman()
    await answers(t, send('garbage'), 401, said('ACCOUNTS_TOKEN_INVALID'))
    await answers(t, send(tokens.refresh_token), 401, said('ACCOUNTS_TOKEN_WRONG_TYPE'))
  },
  async needs_fresh_token_loader (t) {
    const { tokens: { user }, send } = await inGerman()
    const { access_token: token } = await custom.app.accounts.issueTokens(user)
    const answer = await send(token, '/fresh')
    t.match(answer.json(), said('ACCOUNTS_TOKEN_STALE'))
    t.match(answer.headers['www-authenticate'], /error="insufficient_user_authentication".*max_age="600"/)
  },
  async revoked_token_loader (t) {
    const { tokens, send } = await inGerman()
    await custom.post('/auth/logout', { refresh_token: tokens.refresh_token })
    await answers(t, send(tokens.access_token), 401, said('ACCOUNTS_TOKEN_REVOKED'))
  },
  async token_in_blocklist_loader (t) {
    const tokens = await own.signUp('blocklist')
    revokedIds.add(decode(tokens.access_token).payload.jti)
    await answers(t, own.get('/guarded', tokens.access_token), 401, revoked)

    const next = await own.signIn('blocklist')
    await own.app.accounts.revoke(next.access_token)
    await answers(t, own.get('/guarded', next.access_token), 401, revoked)
  },
  async token_verification_failed_loader (t) {
    const { tokens, send } = await inGerman()
    refusedIds.add(decode(tokens.access_token).payload.jti)
    await answers(t, send(tokens.access_token), 401, said('ACCOUNTS_CLAIMS_REFUSED'))
  },
  async token_verification_loader (t) {
    const { access_token: token } = await own.signUp(newName())
    await answers(t, own.get('/guarded', token), 200)
    refusedIds.add(decode(token).payload.jti)
    await answers(t, own.get('/guarded', token), 401, { code: 'ACCOUNTS_CLAIMS_REFUSED' })
  },
  async unauthorized_loader (t) {
    const { send } = await inGerman()
    await answers(t, send(), 401, said('ACCOUNTS_TOKEN_MISSING'))
    await answers(t, mary.send('/guarded'), 403, csrfFailed)
  },
  user_identity_loader: (t) => t.equal(decode(ada.refresh_token).payload.sub, ada.user.id),
  async user_lookup_error_loader (t) {
    const { tokens: { access_token: token, user }, send } = await inGerman()
    await custom.sql.run('update accounts_users set disabled_at = created_at where id = ?', user.id)
    await answers(t, send(token), 401, said('ACCOUNTS_TOKEN_REVOKED'))
  },
  user_lookup_loader: (t) => answers(t, usual.get('/guarded', ada.access_token), 200, { user: ada.user }),
}

async function issuesBoth (t: Test) {
  const tokens = await usual.app.accounts.issueTokens(ada.user)
  await answers(t, usual.get('/guarded', tokens.access_token), 200, { user: ada.user, auth: { fresh: false } })
  await answers(t, usual.refresh(tokens.refresh_token), 200, { user: ada.user })
}

async function setsCookies (t: Test) {
  const answer = await cookies.post('/sso', { id: mary.answer.json().user.id })
  t.same(all({ answer }, 'name'), ['__Host-access', '__Secure-refresh', '__Host-csrf'])
  await answers(
    t,
    cookies.app.inject({
      method: 'POST',
      url: '/fresh',
      headers: { cookie: `__Host-access=${answer.cookies[0]!.value}`, 'x-csrf-token': answer.json().csrf_token },
    }),
    200
  )
}

async function clearsCookies (t: Test) {
  const { send, answer } = await browse(cookies.app, newName())
  t.same(all({ answer: await send('/forget') }, 'maxAge'), [0, 0, 0])
  t.equal((await send('/guarded', { 'sec-fetch-site': 'same-origin' })).statusCode, 200)
  const logout = await send('/auth/logout', { 'sec-fetch-site': 'same-origin' })
  t.same(all({ answer: logout }, 'maxAge'), [0, 0, 0])
  await answers(t, cookies.get('/guarded', answer.cookies[0]!.value), 401, revoked)
}

const functions: Examples = {
  JWTManager: (t) =>
    t.ok(usual.app.hasDecorator('accounts') && usual.app.hasRoute({ method: 'POST', url: '/auth/login' })),
  async create_access_token (t) {
    await issuesBoth(t)
    const { access_token: token } = await usual.app.accounts.issueTokens(ada.user.id, { authTime: new Date() })
    await answers(t, usual.get('/guarded', token), 200, { auth: { fresh: true } })
  },
  create_refresh_token: issuesBoth,
  current_user: (t) =>
    answers(t, usual.get('/guarded', ada.access_token), 200, {
      user: { id: ada.user.id, username: 'ada', email: null, email_verified: false, roles: [] },
    }),
  async decode_token (t) {
    const tokens = await usual.signUp(newName())
    t.match(await usual.app.accounts.verify(tokens.access_token), {
      kind: 'access',
      claims: decode(tokens.access_token).payload,
      user: tokens.user,
    })
    await usual.post('/auth/logout', undefined, tokens.access_token)
    await t.rejects(usual.app.accounts.verify(tokens.access_token), revoked)
    t.same(usual.app.accounts.decode(tokens.access_token).claims, decode(tokens.access_token).payload)
  },
  async get_csrf_token (t) {
    t.type(mary.value, 'string')
    await answers(t, mary.send('/guarded', { 'x-csrf-token': mary.value }), 200)
  },
  async get_current_user (t) {
    await answers(t, usual.post('/optional', undefined, ada.access_token), 200, { user: ada.user })
    t.same((await usual.post('/optional')).json().user, null)
  },
  get_jti: async (t) =>
    t.equal((await usual.app.accounts.verify(ada.access_token)).claims.jti, decode(ada.access_token).payload.jti),
  async get_jwt (t) {
    await answers(t, usual.get('/guarded', ada.access_token), 200, {
      auth: { claims: decode(ada.access_token).payload },
    })
    t.same((await usual.post('/optional')).json().auth, null)
  },
  get_jwt_header: (t) =>
    answers(t, usual.get('/guarded', ada.access_token), 200, { auth: { header: decode(ada.access_token).header } }),
  get_jwt_identity: (t) =>
    answers(t, usual.get('/guarded', ada.access_token), 200, { user: { id: decode(ada.access_token).payload.sub } }),
  async get_jwt_request_location (t) {
    await answers(t, usual.get('/guarded', ada.access_token), 200, { auth: { location: 'header' } })
    await answers(t, usual.post('/body', { access_token: ada.access_token }), 200, { auth: { location: 'body' } })
  },
  get_unverified_jwt_headers: (t) =>
    t.same(usual.app.accounts.decode(ada.access_token).header, decode(ada.access_token).header),
  async jwt_required (t) {
    await answers(t, usual.post('/guarded'), 401, missing)
    await answers(t, usual.post('/guarded', undefined, ada.access_token), 200)
  },
  set_access_cookies: setsCookies,
  set_refresh_cookies: setsCookies,
  unset_access_cookies: clearsCookies,
  unset_jwt_cookies: clearsCookies,
  unset_refresh_cookies: clearsCookies,
  async verify_jwt_in_request (t) {
    await answers(t, usual.get('/by-hand', ada.access_token), 200, { user: ada.user })
    await answers(t, usual.get('/by-hand'), 401, missing)
  },
}

const switches: Examples = {
  async optional (t) {
    await answers(t, usual.post('/optional'), 200, { user: null })
    await answers(t, usual.post('/optional', undefined, 'garbage'), 401, invalid)
  },
  async fresh (t) {
    const { access_token: token } = await usual.app.accounts.issueTokens(ada.user)
    await answers(t, usual.post('/fresh', undefined, token), 401, { code: 'ACCOUNTS_TOKEN_STALE' })
    const { access_token: next, refresh_token: refresh } = (
      await usual.post('/auth/reauthenticate', { password }, token)
    ).json()
    await answers(t, usual.post('/fresh', undefined, next), 200)
    t.equal(
      decode((await usual.refresh(refresh)).json().access_token).payload.auth_time,
      decode(next).payload.auth_time
    )
  },
  async refresh (t) {
    await answers(t, usual.post('/with-refresh', undefined, ada.refresh_token), 200)
    await answers(t, usual.post('/with-refresh', undefined, ada.access_token), 401, {
      code: 'ACCOUNTS_TOKEN_WRONG_TYPE',
    })
  },
  async locations (t) {
    await answers(t, usual.post('/body', undefined, ada.access_token), 401, missing)
    await answers(t, usual.post('/body', { access_token: ada.access_token }), 200)
  },
  async verify_type (t) {
    for (const token of [ada.access_token, ada.refresh_token]) { await answers(t, usual.post('/any', undefined, token), 200, { user: ada.user }) }
  },
  async skip_revocation_check (t) {
    const { access_token: token, user } = await usual.signUp(newName())
    await usual.post('/auth/logout', undefined, token)
    await answers(t, usual.post('/guarded', undefined, token), 401, revoked)
    t.same((await usual.post('/stateless', undefined, token)).json().user, { id: user.id })
    await usual.app.accounts.users.disable(user.id)
    t.same((await usual.post('/stateless', undefined, token)).json().user, { id: user.id })
    const { refresh_token: refresh } = await usual.signUp(newName())
    await answers(t, usual.post('/stateless', undefined, refresh), 401)
  },
}

testTable(t, fromFlask, 'Loaders', loaders, 15)
testTable(t, fromFlask, 'Functions', functions, 20)
testTable(t, fromFlask, argumentsHeading, switches, 6)

t.test('the app after the move does what it says', async (t) => {
  const { get, post, signUp } = await run(t, fromFlask)
  const { access_token: token, user } = await signUp()
  await answers(t, get('/me', token), 200, user)
  await answers(t, post('/purge', undefined, token), 200, { done: user.id })
  await answers(t, get('/me'), 401, missing)
})
