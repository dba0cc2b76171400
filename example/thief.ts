import type { FastifyInstance } from 'fastify'

/**
 * A thief, to be watched: he copies the cookies of whoever asks him to, and shows their refresh token when its owner
 * has long had the next one. He lives below /auth, since the refresh cookie goes nowhere else. He serves a demo on this
 * machine alone: no real app has such routes.
 */
export function serveThief (app: FastifyInstance, windowSeconds: number): void {
  const copies = new Map<string, string | undefined>()
  const options = { onRequest: app.authenticate, schema: { hide: true } }

  app.post('/auth/thief/copy', options, async ({ auth, headers }) => {
    copies.set(auth.sessionId, headers.cookie)
    return { window_seconds: windowSeconds }
  })

  app.post('/auth/thief/replay', options, async ({ auth }) => {
    const cookie = String(copies.get(auth.sessionId))
    copies.delete(auth.sessionId)
    // A thief is no browser, so he says of himself what he likes.
    const headers = { cookie, 'sec-fetch-site': 'same-origin', 'user-agent': 'Thief' }
    const answer = await app.inject({ method: 'POST', url: '/auth/refresh', headers })
    return { status: answer.statusCode, code: answer.json().code }
  })
}
