import type { FastifyInstance, FastifyRequest } from 'fastify'

const handler = async ({ user, auth }: FastifyRequest) => ({ user, instance: auth.instance })

export default async function (app: FastifyInstance) {
  app.get('/guarded', { preHandler: app.authenticate }, handler)
  app.get('/early', { onRequest: [app.authenticate] }, handler)
  app.post('/refreshing', { preHandler: app.authenticateRefresh }, handler)
}
