import type { FastifyInstance } from 'fastify'
import { OptionsInvalid } from '../../http/errors.ts'
import { jwksCacheSeconds } from '../../tokens/keyring.ts'
import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { metadataOf, placesOf } from './metadata.ts'
import type { DiscoverySettings } from './options.ts'

/** Something that everybody may read. */
interface Told { operationId: string, summary: string, path: string, body: object, type?: string }

/** The servers whose host tells of an issuer: it can tell of one alone. */
const telling = new WeakSet<object>()

export async function open (
  { keyring, server, settings: { issuer } }: Spine, { prefix, routes }: DiscoverySettings
): Promise<Open<undefined, never>> {
  if (telling.has(server)) {
    throw new OptionsInvalid('discovery is on for other accounts of this server: a host has one issuer')
  }
  telling.add(server)
  const algorithms = [...new Set(keyring.jwks.map(({ alg }) => alg))]
  const { openidConfiguration, authorizationServer, jwks } = placesOf(issuer)

  function tell (app: FastifyInstance, { path, body, type = 'application/json', ...words }: Told) {
    const isBelow = path.startsWith(`${app.prefix}/`)
    if (!isBelow) app.log.warn(`Verifiers look for ${path}, and these accounts are below ${app.prefix}`)
    const schema: object = { ...words, hide: true }
    const text = JSON.stringify(body)
    app.get(isBelow ? path.slice(app.prefix.length) : path, { schema }, async (_request, reply) =>
      reply.type(type).header('cache-control', `public, max-age=${jwksCacheSeconds}`).send(text))
  }

  return {
    face: undefined,
    atRoot (app) {
      const metadata = metadataOf({ issuer, prefix: `${app.prefix}${prefix}`, routes, algorithms })
      tell(app, {
        operationId: 'openidConfiguration',
        summary: 'What the issuer offers (OpenID Connect Discovery 1.0)',
        path: openidConfiguration,
        body: metadata,
      })
      tell(app, {
        operationId: 'authorizationServer',
        summary: 'What the issuer offers (RFC 8414)',
        path: authorizationServer,
        body: metadata,
      })
      tell(app, {
        operationId: 'wellKnownJwks',
        summary: 'The public keys of the issuer (RFC 7517)',
        path: jwks,
        body: { keys: keyring.jwks },
        type: 'application/jwk-set+json',
      })
    },
  }
}
