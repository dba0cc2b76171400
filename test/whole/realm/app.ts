// The tour, in a bundle that run.ts puts into another realm. What `structuredClone` gives there comes from outside it.
import type { EntityManager } from '@mikro-orm/core'
import { addAccounts, addRoutes, inject, tour } from '../neighbours/tour.ts'
import { password } from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'

export async function visit () {
  const app = Fastify()
  await addAccounts(app)
  await addRoutes(app)
  const stops = await tour(inject(app))
  await app.close()
  return stops
}

/** Options, a date and an error that are of the other realm. */
export async function visitWithForeignValues () {
  const app = Fastify()
  await addAccounts(app, {
    ...structuredClone({ access: { expiresIn: '5m' }, cookies: { sameSite: 'strict' }, throttle: { network: 7 } }),
    hooks: {
      onRegister (_: EntityManager, { username }: { username: string | null }) {
        if (username === 'nobody') throw Object.assign(structuredClone(new Error('Nobody may')), { statusCode: 409 })
      },
    },
  })
  const register = (username: string) =>
    app.inject({ method: 'POST', url: '/auth/register', payload: { username, password } })
  const { id } = (await register('ada')).json().user
  const refused = await register('nobody')
  const issued = await app.accounts.issueTokens(id, { authTime: structuredClone(new Date(Date.now() - 1000)) })
  await app.close()
  return {
    isForeign: !(structuredClone(new Date()) instanceof Date),
    refused: refused.json(),
    expiresIn: issued.expires_in,
  }
}
