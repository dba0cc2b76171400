import t from 'tap'
import { bearer, mint, secret } from '../../support/build.ts'
import { answers, expired, invalid, malformed, missing } from './answers.ts'
import { now, startApps } from './apps.ts'
import { sharedExamples } from './shared.ts'
import { fromOthers, testTable, type Example, type Others } from './tables.ts'

const apps = await startApps(t)
const { usual, cookies, custom, ada, adaHere, mary, kid, reissue, inGerman, problems } = apps
const { hasMessages } = sharedExamples(apps)

/** What a guard says to these headers. */
const refuses = (headers: Record<string, string>, statusCode: number, body: object): Example =>
  (t) => answers(t, usual.app.inject({ url: '/guarded', headers }), statusCode, body)

const fastifyJwt: Others = {
  secret: 'JWT_SECRET_KEY',
  async sign (t) {
    t.equal(adaHere.expires_in, 300)
    t.equal(problems.match(/access\.expiresIn .*?must be a duration/g)!.length, 2, "'900' too")
  },
  verify: 'JWT_DECODE_LEEWAY',
  extractToken: 'JWT_HEADER_NAME',
  decode: 'get_unverified_jwt_headers',
  async decoratorName (t) {
    const {
      tokens: { access_token: token },
    } = await inGerman('person')
    await answers(t, custom.get(`/person?access_token=${token}`), 200, { username: 'person' })
  },
  cookie: 'set_access_cookies',
  async onlyCookie (t) {
    await answers(t, mary.send('/cookie', { 'x-csrf-token': mary.value, authorization: 'Bearer garbage' }), 200, {
      auth: { location: 'cookie' },
    })
    await answers(t, cookies.post('/cookie', undefined, mary.answer.cookies[0]!.value), 401, missing)
  },
  namespace: 'encode_key_loader',
  trusted: 'token_in_blocklist_loader',
  formatUser: 'current_user',
  messages: hasMessages,
  'fastify.jwt.sign': 'create_access_token',
  'fastify.jwt.verify': 'decode_token',
  'fastify.jwt.decode': 'get_unverified_jwt_headers',
  'reply.jwtSign': 'set_access_cookies',
  'request.jwtVerify': 'jwt_required',
  'request.jwtDecode': 'get_jwt',
  FST_JWT_NO_AUTHORIZATION_IN_HEADER: refuses({}, 401, missing),
  FST_JWT_NO_AUTHORIZATION_IN_COOKIE: (t) =>
    answers(t, cookies.app.inject({ url: '/guarded', headers: { cookie: 'other=1' } }), 401, missing),
  FST_JWT_BAD_REQUEST: refuses({ authorization: 'Bearer' }, 400, malformed),
  FST_JWT_AUTHORIZATION_TOKEN_EXPIRED: refuses(
    bearer(reissue(ada.access_token, { iat: now() - 60, auth_time: now() - 60, exp: now() - 1 })),
    401,
    expired
  ),
  FST_JWT_AUTHORIZATION_TOKEN_INVALID: refuses(
    bearer(mint({ alg: 'HS512', typ: 'at+jwt', kid }, [1], secret, 'sha512')),
    401,
    invalid
  ),
  FST_JWT_AUTHORIZATION_TOKEN_UNTRUSTED: 'revoked_token_loader',
  FAST_JWT_MISSING_SIGNATURE: refuses(bearer(`${ada.access_token.split('.').slice(0, 2).join('.')}.`), 401, invalid),
}

testTable(t, fromOthers, '@fastify/jwt', fastifyJwt)

t.test('a token of another library is refused, also with the same secret', async (t) => {
  const old = { sub: ada.user.id, jti: '6f1c', type: 'access', fresh: false, iat: now(), nbf: now(), exp: now() + 900 }
  await answers(t, usual.get('/guarded', mint({ alg: 'HS256', typ: 'JWT' }, old)), 401, invalid)
})
