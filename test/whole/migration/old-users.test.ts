import { hash } from 'argon2'
import t from 'tap'
import { legacy, type TokenResponse } from '../../../lib/index.ts'
import { build, buildOnFile, decode, mint, password, secret } from '../../support/build.ts'
import { run } from '../../support/snippets.ts'
import { answers, invalid } from './answers.ts'
import { now } from './apps.ts'
import { fromOthers } from './tables.ts'

t.test('an old refresh token is changed for a session once, and an access token never', async (t) => {
  const oldSecret = 'h6Rt9WqL2vXb5NzKc8PmJ3sFd7GyA4eU'
  const { module, get, post, signUp } = await run(t, fromOthers, { env: { OLD_SECRET: oldSecret }, names: ['newIds'] })
  const { user } = await signUp()
  module.newIds.set('17', user.id)

  const old = (claims: object, key = oldSecret) =>
    mint(
      { alg: 'HS256', typ: 'JWT' },
      { sub: '17', jti: 'a', type: 'refresh', iat: now(), exp: now() + 60, ...claims },
      key
    )
  const tokens = (await post('/exchange', { token: old({}) })).json() as TokenResponse
  await answers(t, get('/auth/me', tokens.access_token), 200, { id: user.id })
  t.equal(decode(tokens.access_token).payload.auth_time, 0, 'nobody has given a password')

  const others = [
    old({}),
    old({ jti: 'b', type: 'access' }),
    old({ jti: 'c', sub: '18' }),
    old({ jti: 'd', exp: now() - 1 }),
    old({ jti: 'e' }, secret),
    'garbage',
  ]
  for (const token of others) await answers(t, post('/exchange', { token }), 401, invalid)
})

t.test('a password hash comes along if it is argon2id, or of a scheme that password.legacy names', async (t) => {
  const { post, signUp, sql } = await buildOnFile(t)
  await signUp()
  const login = () => post('/auth/login', { username: 'ada', password })
  const store = (phc: string) => sql.run('update accounts_users set password_hash = ?', phc)
  const django = `argon2${await hash(password, { memoryCost: 2048, timeCost: 1, parallelism: 2 })}`

  await store(django.slice('argon2'.length))
  t.equal((await login()).statusCode, 200)
  t.match(
    await sql.get('select password_hash from accounts_users'),
    { password_hash: /m=1024,t=2,p=1/ },
    'and is made anew at the cost of today'
  )
  for (const foreign of [
    django,
    'pbkdf2_sha256$870000$salt$hash',
    '$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW',
    'scrypt:32768:8:1$salt$hash',
  ]) {
    await store(foreign)
    await answers(t, login(), 401, { code: 'ACCOUNTS_CREDENTIALS_INVALID' })
  }

  const moved = await build(t, {
    password: { legacy: [legacy.bcrypt({ cost: 4 }), legacy.scrypt({ N: 1024 }), legacy.pbkdf2({ iterations: 1000 })] },
  })
  const theirs = {
    'flask-jwt-extended':
      'scrypt:1024:8:1$GYnWDLzezsrDSRsA$50613e0f4bf55cfdf99f1b62116413f8f0ad8b790fa99fe19626de106fb54cba236b1e088af858ea611d4ef24e760c8ef88b1af6a290bbb4184c3637e695e7c3',
    simplejwt: 'pbkdf2_sha256$1000$NaCl2saltsalt9$Q7CR7Y1LMpJqp9u/49SxkahbrfwvDFwbpTDQbJBFKgs=',
    'fastapi-jwt-auth': '$2b$04$ZcWDT1oGmN2/u2yliu8tZuY3MPLRB0XVx2S3vhYpiqsaqRFgO9fIC',
  }
  for (const [username, passwordHash] of Object.entries(theirs)) {
    await moved.app.accounts.users.create({ username, passwordHash })
    await answers(t, moved.post('/auth/login', { username, password: `${password}!` }), 401, {
      code: 'ACCOUNTS_CREDENTIALS_INVALID',
    })
    t.match(await moved.signIn(username), { user: { username } })
  }
})
