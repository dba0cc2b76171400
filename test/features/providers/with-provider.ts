import { createHash } from 'node:crypto'
import type { FastifyServerOptions, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { fakeProvider, type FakeProviderOptions } from '../../../lib/testing.ts'
import { bearer, buildOnFile } from '../../support/build.ts'

/** The verifier of a client with tokens in bodies, and its challenge. */
export const verifier = 'a-verifier-of-this-client-that-nobody-else-has-0123'
export const challenge = createHash('sha256').update(verifier).digest('base64url')

export const providerFlow = { url: 'https://app.example.com', returnTo: ['https://shop.example.com/in', 'com.example.app:/in'] }

/** Pages of the app's own, as browsers name them. */
export const ownPage = { 'sec-fetch-site': 'same-origin' }

/** An app with a provider in this process, and a browser and another client that go there and back. */
export async function withProvider (
  t: Test, { fake: given, ...options }: AccountsOptions & { fake?: FakeProviderOptions } = {},
  server: FastifyServerOptions = {}
) {
  const fake = fakeProvider(given)
  const built = await buildOnFile(t, {
    providers: [fake.provider], providerFlow, transport: 'both', identifiers: ['username', 'email'], ...options,
  }, server)
  const { app } = built

  const authorize = (body: object, headers: Record<string, string> = {}, id = 'fake') => app.inject({
    method: 'POST', url: `/auth/providers/${id}/authorize`, payload: body, headers: { ...ownPage, ...headers },
  })

  /** A browser, which keeps cookies. */
  function browser () {
    const jar = new Map<string, string>()
    const keep = (response: LightMyRequestResponse) => {
      for (const line of [response.headers['set-cookie'] ?? []].flat()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
        if (value === '') jar.delete(name!)
        else jar.set(name!, value!)
      }
      return response
    }
    const send = async (request: InjectOptions) => keep(await app.inject({
      ...request, headers: { ...ownPage, cookie: cookies(), ...request.headers },
    }))
    const cookies = () => [...jar].map((pair) => pair.join('=')).join('; ')
    return {
      jar,
      send,
      get: (url: string) => send({ url }),
      post: (url: string, payload: object) => send({ method: 'POST', url, payload }),
      /** From a page to the provider: gives the URL there. */
      async leave (body: object = {}): Promise<string> {
        const response = await send({
          method: 'POST', url: '/auth/providers/fake/authorize', payload: { ...'for' in body ? {} : { transport: 'cookie' }, ...body },
        })
        return response.json().authorization_url
      },
      /** There and back, in the eyes of somebody who says yes. */
      async go (body: object = {}) {
        return this.comeBack(fake.approve(await this.leave(body)))
      },
      comeBack: (url: string) => send({ url, headers: { 'sec-fetch-site': 'cross-site' } }),
    }
  }

  /** Another client, with tokens in bodies: gives the answer of the exchange. */
  async function exchange (body: object = {}, headers: Record<string, string> = {}): Promise<LightMyRequestResponse> {
    const { authorization_url: url } = (await authorize({ code_challenge: challenge, ...body }, headers)).json()
    const { location } = (await app.inject({ url: fake.approve(url) })).headers
    const code = new URL(location!).searchParams.get('code')
    return app.inject({ method: 'POST', url: '/auth/providers/exchange', payload: { code, code_verifier: verifier } })
  }

  return {
    ...built,
    fake,
    authorize,
    browser,
    exchange,
    /** Of a user, with tokens in bodies, by a password. */
    linked: async (token: string) => exchange({ for: 'link' }, bearer(token)),
  }
}

/** What the query of the page has where a browser ends. */
export function endOf ({ headers: { location } }: LightMyRequestResponse): Record<string, string> {
  const url = new URL(location!)
  return { page: url.origin + url.pathname, ...Object.fromEntries(url.searchParams) }
}
