import type { FastifyInstance } from 'fastify'
import { originsLeaving } from './origins.ts'

const url = '/.well-known/webauthn'

const schema: object = { operationId: 'relatedOrigins', summary: 'Where else the passkeys are used', hide: true }

/**
 * Vouches for origins on other domains, as browsers ask the domain of the passkeys (WebAuthn L3 §5.11). The path is the
 * same on every server, so it is below no prefix; where several accounts of an app have related origins, the first
 * answer.
 */
export function relatedOrigins (
  { origins, rpId }: { origins: string[], rpId: string }
): ((app: FastifyInstance) => void) | undefined {
  const related = originsLeaving(origins, rpId)
  if (related.length === 0) return

  return (app) => {
    if (app.prefix !== '') {
      app.log.warn(`Browsers look for ${url} at the root, and these accounts are below ${app.prefix}`)
    }
    if (app.hasRoute({ method: 'GET', url })) return
    app.get(url, { schema }, async (_request, reply) => {
      reply.header('cache-control', 'public, max-age=300')
      return { origins: related }
    })
  }
}
