import { randomUUID } from 'node:crypto'
import Database from 'better-sqlite3'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { fromNodeHeaders } from 'better-auth/node'
import { bearer as bearerTokens } from 'better-auth/plugins'
import Fastify from 'fastify'
import { bearer, guardedPath, offer, secret, tokens, variant } from './offer.ts'

/**
 * better-auth, asked for the session of each request: by a cookie with its cookie cache, which asks no database, or by
 * a bearer token, on SQLite in memory. Or for a login, where its users can sign in.
 */
const options = {
  secret,
  baseURL: 'http://127.0.0.1',
  database: new Database(':memory:'),
  telemetry: { enabled: false },
  emailAndPassword: { enabled: true },
  session: { cookieCache: { enabled: variant === 'cookie', maxAge: 3600 } },
  advanced: { database: { generateId: () => randomUUID() as string } },
  plugins: [bearerTokens()],
}
await (await getMigrations(options)).runMigrations()
const auth = betterAuth(options)

const app = Fastify()
app.decorateRequest('userId', '')
app.get(guardedPath, {
  onRequest: async (request, reply) => {
    const session = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) })
    if (!session) return reply.code(401).send()
    Object.assign(request, { userId: session.user.id })
  },
}, async (request) => ({ id: (request as typeof request & { userId: string }).userId }))

app.post<{ Body: { email: string, password: string } }>('/auth/login', async ({ body }) =>
  auth.api.signInEmail({ body })
)

const password = 'correct horse battery staple'
const people = Array.from({ length: variant === 'login' ? tokens : 1 }, (_, index) => ({
  email: `user${index}@example.com`,
  password,
}))
const users = []
for (const person of people) {
  const { headers } = await auth.api.signUpEmail({ body: { name: 'Ada', ...person }, returnHeaders: true })
  const cookie = headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  users.push(
    { login: person, cookie: { cookie }, bearer: bearer(headers.get('set-auth-token')!) }[
      variant as 'login' | 'cookie' | 'bearer'
    ]
  )
}
offer(await app.listen({ host: '127.0.0.1', port: 0 }), users)
