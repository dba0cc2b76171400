import type { FastifyInstance, FastifyRequest } from 'fastify'

/** Below /closed, by the name of its folder. */
export default async function (app: FastifyInstance) {
  app.accounts.protect(app)
  app.get('/inside', async ({ user, auth }: FastifyRequest) => ({ user, instance: auth.instance }))
}
