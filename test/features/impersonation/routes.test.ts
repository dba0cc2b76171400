import swagger from '@fastify/swagger'
import t from 'tap'
import accounts, { type AccountsOptions } from '../../../lib/index.ts'
import { signIn } from '../../../lib/testing.ts'
import { cheap, secret } from '../../support/build.ts'
import { operationsOf, type OpenapiDocument } from '../../support/documents.ts'
import { Fastify } from '../../support/fastify.ts'
import { impersonated, lending } from './support.ts'

const everything: AccountsOptions = {
  ...lending,
  db: ':memory:',
  secret,
  password: cheap,
  throttle: false,
  mail: { links: { invite: '/join', login: '/login', register: '/welcome' } },
  email: { verification: 'none' },
  factors: true,
  passkeys: { origins: ['https://app.example.com'] },
  keys: true,
  introspection: { clients: [{ id: 'shop', secret: 'x'.repeat(32) }] },
  routes: { users: true, invitations: true, emailLogin: true, introspect: true, revoke: true, events: true },
}

/** Where a borrowed session may come in, since what happens there is not the user's alone. */
const open = ['GET /auth/me', 'PATCH /auth/me', 'POST /auth/logout']

/** Routes that ask for no access token, whatever is sent along. */
const withoutGuard = (security: object[] = []) =>
  !security.some((requirement) => Object.keys(requirement).some((scheme) => scheme.startsWith('access')))

/** What is asked about before the guard, where the session is not the only way in. */
const bodies: Record<string, object> = {
  'POST /auth/passkeys/options': { for: 'registration' },
  'POST /auth/passkeys': {
    credential: { id: 'AA', rawId: 'AA', type: 'public-key', response: { clientDataJSON: 'AA', attestationObject: 'AA' } },
  },
  'PUT /auth/factors/totp': { enrolment: 'x', code: '123456' },
}

t.test('our routes refuse it, and say so, but for three', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'Test', version: '1' } } })
  await app.register(accounts, everything)
  await app.ready()
  const { headers } = await signIn(app, 'ada', { actor: 'root' })
  const operations = operationsOf(app.swagger() as unknown as OpenapiDocument)

  const refused: string[] = []
  for (const [name, { security, responses }] of operations) {
    const [method, path] = name.split(' ') as ['GET', string]
    const url = path.replaceAll(/\{\w+\}/g, 'x')
    const answer = await app.inject({ method, url, headers, ...method !== 'GET' && { payload: bodies[name] ?? {} } })
    const told = JSON.stringify(responses['403'] ?? {}).includes('ACCOUNTS_IMPERSONATED')
    if (answer.statusCode === 403 && answer.json().code === 'ACCOUNTS_IMPERSONATED') refused.push(name)
    else t.ok(open.includes(name) || withoutGuard(security), `${name} ${answer.body}`)
    t.equal(told, refused.includes(name), `${name}: what it says in the document`)
  }
  t.ok(refused.length > 20)
  t.notOk(open.some((name) => refused.includes(name)))
  t.match((await app.inject({ url: '/auth/users', headers })).json(), impersonated)
})
