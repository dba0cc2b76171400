import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import proxy from '@fastify/http-proxy'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import openapiGlue from 'fastify-openapi-glue'
import t, { type Test } from 'tap'
import { bearer, client } from '../../support/build.ts'
import { addAccounts, open, type Host } from './tour.ts'

/** An app that keeps what it warns of. */
async function logging (t: Test, after: Host, before: Host = () => {}) {
  const lines: string[] = []
  const app = open(t, { logger: { level: 'warn', stream: { write: (line) => { lines.push(line) } } } })
  await before(app)
  await addAccounts(app)
  await after(app)
  await app.ready()
  return { app, ...client(app), warnings: lines.map((line) => JSON.parse(line).msg as string) }
}

/** A server behind a proxy. */
async function upstream (t: Test): Promise<string> {
  const server = createServer((_request, response) => { response.end('from behind') }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close().closeAllConnections() })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('@fastify/http-proxy without a guard is open, as the log says, and with one it is guarded', async (t) => {
  const behind = await upstream(t)
  const bare = await logging(t, (app) =>
    app.register(proxy, { upstream: behind, prefix: '/open', httpMethods: ['GET'] })
  )
  t.strictSame(
    bare.warnings.map((line) => line.match(/[A-Z]+ \/[^ ]+ \(\w+\)/g)),
    [['GET /open (preHandler)', 'GET /open/* (preHandler)']]
  )
  t.equal((await bare.get('/open/page')).body, 'from behind')

  const guarded = await logging(t, (app) =>
    app.register(proxy, { upstream: behind, prefix: '/closed', preHandler: app.authenticate })
  )
  const { access_token: token } = await guarded.signUp()
  t.strictSame(guarded.warnings, [])
  for (const method of ['GET', 'POST', 'DELETE'] as const) {
    const ask = (headers: Record<string, string>) => guarded.app.inject({ method, url: '/closed/page', headers })
    t.match((await ask({})).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_MISSING' })
    t.equal((await ask(bearer(token))).body, 'from behind')
  }
})

t.test('the pages of @fastify/swagger-ui may have one hook of the two that its options know', async (t) => {
  const openapi = { openapi: '3.1.0', info: { title: 'Test', version: '1' } }
  const other = await logging(
    t,
    async (app) => app.register(swaggerUi, { uiHooks: { onRequest: (_request, _reply, next) => next() } }),
    (app) => app.register(swagger, { openapi })
  )
  t.match(other.warnings, [/^A package has written .* GET \/documentation\/json \(preHandler\)/])
  t.equal((await other.get('/documentation/json')).statusCode, 200)

  const ours = await logging(
    t,
    async (app) => app.register(swaggerUi, { uiHooks: { onRequest: app.authenticate } as object }),
    (app) => app.register(swagger, { openapi })
  )
  const { access_token: token } = await ours.signUp()
  t.strictSame(ours.warnings, [], 'a guard of ours is no hook that is missing')
  t.equal((await ours.get('/documentation/json')).statusCode, 401)
  t.equal((await ours.get('/documentation/json', token)).statusCode, 200)
})

t.test('fastify-openapi-glue writes routes of a document, with guards where the document names them', async (t) => {
  const operation = (operationId: string, security: object[]) => ({
    get: { operationId, security, responses: { 200: { description: 'Done' } } },
  })
  const specification = {
    openapi: '3.1.0',
    info: { title: 'Test', version: '1' },
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    paths: { '/open': operation('readOpen', []), '/closed': operation('readClosed', [{ token: [] }]) },
  }
  const serviceHandlers = { readOpen: async () => 'open', readClosed: async () => 'closed' }
  const { get, signUp, warnings } = await logging(t, (app) =>
    app.register(openapiGlue, { specification, serviceHandlers, securityHandlers: { token: app.authenticate } })
  )
  const { access_token: token } = await signUp()
  t.match(warnings, [/GET \/open \(preHandler\)/])
  t.equal((await get('/open')).body, 'open')
  t.notOk((await get('/closed')).statusCode < 400)
  t.equal((await get('/closed', token)).body, 'closed')
})
