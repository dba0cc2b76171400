import { randomUUID } from 'node:crypto'
import Database from 'better-sqlite3'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { fromNodeHeaders } from 'better-auth/node'
import { bearer as bearerTokens } from 'better-auth/plugins'
import Fastify from 'fastify'
import { bearer, guardedPath, offer, secret, variant } from './offer.ts'

/**
 * better-auth, asked for the session of each request: by a cookie with its cookie cache, which asks no database, or by a
 * bearer token, on SQLite in memory.
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

const { headers } = await auth.api.signUpEmail({ body: { name: 'Ada', email: 'ada@example.com', password: 'correct horse battery staple' }, returnHeaders: true })
const cookie = headers.getSetCookie().map((line) => line.split(';')[0]).join('; ')
offer(await app.listen({ host: '127.0.0.1', port: 0 }), [variant === 'cookie' ? { cookie } : bearer(headers.get('set-auth-token')!)])
