import type { FastifyInstance, FastifyServerOptions, InjectOptions } from 'fastify'
import type { Test } from 'tap'
import type { AccountsOptions, TokenResponse } from '../../../lib/index.ts'
import { softPasskey, type SoftCredential, type SoftPasskey } from '../../../lib/testing.ts'
import { build, buildOnFile, password } from '../../support/build.ts'

export const origin = 'https://app.example.com'

/** Passkeys for an app at one origin. */
export const passkeys = { origins: [origin], rpId: 'example.com', rpName: 'Example' }

/** What asks for options: as `POST /passkeys/options` takes it. */
interface Asking {
  for: string
  ticket?: string | undefined
  username?: string
  email?: string
}

/** What goes with a new passkey. */
interface Adding { ticket?: string, name?: string, second_factor?: boolean }

/** What there is to do with passkeys in an app. */
export function passkeysOf (app: FastifyInstance) {
  const send = (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT', url: string, token?: string, payload?: InjectOptions['payload']
  ) => app.inject({
    method,
    url: `/auth${url}`,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...payload !== undefined && { payload },
  })

  const ask = async (asking: Asking, token?: string) => (await send('POST', '/passkeys/options', token, asking)).json()

  /** What a passkey signs for a purpose. */
  async function assertion (key: SoftPasskey, asking: Asking, token?: string): Promise<SoftCredential> {
    return key.get((await ask(asking, token)).options)
  }

  return {
    send,
    ask,
    assertion,
    /** Makes a passkey of a user and adds it. */
    async add (key: SoftPasskey, token?: string, more: Adding = {}) {
      const { ticket } = more
      const { options } = await ask({ for: 'registration', ticket }, token)
      return send('POST', '/passkeys', token, { credential: key.create(options), ...more })
    },
    login: async (key: SoftPasskey, more: object = {}) =>
      send('POST', '/passkeys/login', undefined, { credential: await assertion(key, { for: 'login' }), ...more }),
    byPassword: (username = 'ada') => send('POST', '/login', undefined, { username, password }),
    verify: (ticket: string | undefined, proof: object) =>
      send('POST', '/factors/verify', undefined, { ticket, ...proof }),
  }
}

/** An app with passkeys on a database that can be looked into. */
export async function buildWithPasskeys (t: Test, options: AccountsOptions = {}, server: FastifyServerOptions = {}) {
  const built = await buildOnFile(t, { passkeys, ...options }, server)
  return { ...built, ...passkeysOf(built.app) }
}

/** An app in memory with passkeys, and Ada, who has one. */
export async function buildWithAda (
  t: Test, options: AccountsOptions = {}, key = softPasskey({ origin }), server: FastifyServerOptions = {}
) {
  const built = await build(t, { passkeys, ...options }, server)
  const used = passkeysOf(built.app)
  const { access_token: first, user } = await built.signUp()
  const added = await used.add(key, first)
  const body = added.json() as TokenResponse & { passkey: { id: string, name: string }, recovery_codes: string[] }
  return { ...built, ...used, key, user, first, added, body, token: body.access_token }
}
