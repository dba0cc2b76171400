import t, { type Test } from 'tap'
import { build, decode, password } from '../../support/build.ts'
import { answers, revoked } from './answers.ts'
import { newName, startApps } from './apps.ts'
import { sharedExamples } from './shared.ts'
import { fromOthers, testTable, type Others } from './tables.ts'

const apps = await startApps(t)
const { usual, pair, api, ada } = apps
const { rotates, checks } = sharedExamples(apps)

async function rotatesStrictly (t: Test) {
  const { refresh_token: token } = await pair.signUp(newName())
  await answers(t, pair.refresh(token), 200)
  await answers(t, pair.refresh(token), 401, { code: 'ACCOUNTS_REFRESH_REUSED' })
}

async function tellsOfLogins (t: Test) {
  const told: unknown[] = []
  const { post, signUp } = await build(t, {
    hooks: {
      onLogin: ({ username }) => {
        told.push(username)
      },
      onLoginFailed: (name) => {
        told.push(`not ${name}`)
      },
    },
  })
  await signUp()
  for (const given of [password, `${password}!`]) await post('/auth/login', { username: 'ada', password: given })
  t.same(told, ['ada', 'not ada'])
}

const simplejwt: Others = {
  ACCESS_TOKEN_LIFETIME: 'JWT_ACCESS_TOKEN_EXPIRES',
  REFRESH_TOKEN_LIFETIME: 'JWT_REFRESH_TOKEN_EXPIRES',
  ROTATE_REFRESH_TOKENS: rotates,
  BLACKLIST_AFTER_ROTATION: rotatesStrictly,
  ALGORITHM: 'JWT_ALGORITHM',
  SIGNING_KEY: 'JWT_PRIVATE_KEY',
  VERIFYING_KEY: 'JWT_PUBLIC_KEY',
  AUDIENCE: 'JWT_DECODE_AUDIENCE',
  ISSUER: 'JWT_DECODE_ISSUER',
  LEEWAY: 'JWT_DECODE_LEEWAY',
  AUTH_HEADER_TYPES: 'JWT_HEADER_TYPE',
  AUTH_HEADER_NAME: 'JWT_HEADER_NAME',
  USER_ID_FIELD: 'JWT_IDENTITY_CLAIM',
  USER_ID_CLAIM: 'JWT_IDENTITY_CLAIM',
  USER_AUTHENTICATION_RULE: checks,
  AUTH_TOKEN_CLASSES: 'verify_type',
  TOKEN_TYPE_CLAIM: (t) =>
    t.same(
      [ada.access_token, ada.refresh_token].map((token) => decode(token).header.typ),
      ['at+jwt', 'rt+jwt']
    ),
  TOKEN_USER_CLASS: 'skip_revocation_check',
  JTI_CLAIM: (t) => t.type(decode(ada.refresh_token).payload.jti, 'string'),
  TOKEN_OBTAIN_SERIALIZER: 'additional_claims_loader',
  ON_LOGIN_SUCCESS: tellsOfLogins,
  ON_LOGIN_FAILED: 'ON_LOGIN_SUCCESS',
  async CHECK_USER_IS_ACTIVE (t) {
    const { access_token: token, user } = await usual.signUp(newName())
    await answers(t, usual.get('/guarded', token), 200)
    await usual.app.accounts.users.disable(user.id)
    await answers(t, usual.get('/guarded', token), 401, revoked)
  },
  JWTAuthentication: 'jwt_required',
  JWTStatelessUserAuthentication: 'skip_revocation_check',
  TokenObtainPairView: (t) =>
    answers(t, usual.post('/auth/login', { username: 'ada', password }), 200, {
      access_token: String,
      refresh_token: String,
    }),
  TokenRefreshView: 'ROTATE_REFRESH_TOKENS',
  async TokenVerifyView (t) {
    const { access_token: token } = await pair.signUp(newName())
    const credentials = { client_id: api.id, client_secret: api.secret }
    await answers(t, pair.post('/auth/introspect', { token, ...credentials }), 200, { active: true })
    t.same((await pair.post('/auth/introspect', { token: 'garbage', ...credentials })).json(), { active: false })
    await answers(t, pair.post('/auth/introspect', { token }), 401, { code: 'ACCOUNTS_CLIENT_INVALID' })
    await answers(t, usual.post('/auth/introspect', { token }), 404)
  },
  async TokenBlacklistView (t) {
    const { access_token: token, refresh_token: refresh } = await usual.signUp(newName())
    t.equal((await usual.post('/auth/logout', { refresh_token: refresh })).statusCode, 204)
    await answers(t, usual.get('/guarded', token), 401, revoked)
  },
  'RefreshToken.for_user': 'create_refresh_token',
}

testTable(t, fromOthers, 'djangorestframework-simplejwt', simplejwt)
