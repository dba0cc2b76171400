// What an app writes, compiled against the packed package: nothing here is run.
import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
import accounts, { errors, type AccountsOptions, type AccountsServices, type Guard } from 'fastify-jwt-accounts'

declare module 'fastify-jwt-accounts' {
  interface AccountsTypes {
    user: { displayName: string, plan: string }
    hidden: { note?: string }
    claims: { tenant: string }
    session: { tenant: string }
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    admins: AccountsServices
  }
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
function expect<Truth extends true> (): Truth | void {}

const options: AccountsOptions = {
  user: { fields: { displayName: Type.String(), plan: Type.String({ default: 'free', readOnly: true }) } },
  claims: ({ displayName }, _request, { data }) => ({ tenant: data?.tenant ?? displayName }),
  sessions: { data: Type.Object({ tenant: Type.String() }) },
  hooks: { onSession: (_user, request) => request ? { tenant: request.hostname } : null },
  verifyClaims: ({ tenant }) => tenant !== '',
}

const app = Fastify({ logger: true })
await app.register(accounts, options)
await app.register(accounts, { name: 'admins', prefix: '/admin' })
// @ts-expect-error the tenant is what the app said it is: a text
await app.register(accounts, { claims: () => ({ tenant: 5 }) })
// @ts-expect-error an option that there is not
await app.register(accounts, { secrets: [] })

app.get('/me', { preHandler: app.authenticate }, async ({ user, auth }) => {
  expect<Equal<typeof user.displayName, string>>()
  expect<Equal<typeof user.username, string | null>>()
  expect<Equal<typeof auth.claims.tenant, string>>()
  expect<Equal<typeof auth.claims.sub, string>>()
  // @ts-expect-error nothing else is known of the user
  return user.passwordHash
})

const isAda: Guard = app.admins.guard({ check: ({ displayName }) => displayName === 'Ada' })
app.get('/admin/me', { preHandler: [isAda] }, async () => new errors.Forbidden().statusCode)

const { access_token: token } = await app.accounts.issueTokens('id')
await app.accounts.sessions.setData('id', { tenant: 'acme' })
// @ts-expect-error sessions hold a tenant, as the app said
await app.accounts.issueTokens('id', { data: { device: 'laptop' } })
const { user: { displayName }, claims: { tenant } } = await app.accounts.verify(token)
await app.accounts.users.create({ username: 'ada', displayName: 'Ada', plan: 'gold', note: 'pays late' })
await app.accounts.users.update('id', { plan: 'free', note: null })
// @ts-expect-error a text is what the app said it is
await app.accounts.users.create({ username: 'ada', displayName: 5 })
// @ts-expect-error the app has told of no such field
await app.accounts.users.create({ username: 'ada', displayname: 'Ada' })
// @ts-expect-error nor of this one
await app.accounts.users.update('id', { size: 1 })
// @ts-expect-error nobody is without a name to show
await app.accounts.users.update('id', { displayName: null })
const found = await app.admins.users.find('ada')
const texts: string[] = [displayName, tenant, found?.displayName ?? '']
app.log.info(texts)
