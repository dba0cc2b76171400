import type { FastifyInstance, InjectOptions } from 'fastify'
import type { Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { build, bearer } from '../../support/build.ts'

export const scopes = ['orders:read', 'orders:write']

/** An app whose routes `/keyed`, `/orders` and `/strict-keyed` take API keys, and Ada, who is signed in. */
export async function buildWithKeys (
  t: Test, { keys, ...options }: AccountsOptions = {}, addMore: (app: FastifyInstance) => unknown = () => {}
) {
  const given = typeof keys === 'object' ? keys : {}
  const built = await build(t, { keys: { scopes, ...given }, ...options })
  const { app } = built
  const { guard } = app.accounts
  const tell = async ({ user, auth }: { user: unknown, auth: unknown }) => ({ user, auth })
  app.get('/keyed', { preHandler: guard({ keys: true }) }, tell)
  const named = (given.scopes ?? scopes).slice(0, 1)
  app.get('/orders', { preHandler: guard({ keys: true, scopes: named }) }, tell)
  app.get('/strict-keyed', { preHandler: guard({ keys: true, consistency: 'strict' }) }, tell)
  await addMore(app)
  const ada = await built.signUp()
  const token = ada.access_token
  const ofKey = (method: NonNullable<InjectOptions['method']>, path: string, payload?: object) =>
    app.inject({ method, url: `/auth/keys${path}`, headers: bearer(token), ...payload && { payload } })

  return {
    ...built,
    ada,
    /** Asks for something below `/auth/keys` as Ada. */
    ofKey,
    /** A key of Ada's, by the route. */
    async makeKey (wanted: object = {}) {
      return (await ofKey('POST', '', { name: 'CI', ...wanted })).json()
    },
  }
}
