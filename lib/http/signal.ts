import type { AnyReply } from './request.ts'

/**
 * A signal that is aborted when the client disconnects before its answer. Fastify's `request.signal` is no help: it has
 * been there since 5.8 alone, and is aborted as soon as a body is read.
 */
export function disconnectSignal ({ raw }: AnyReply): AbortSignal {
  const leaving = new AbortController()
  const leave = () => {
    if (!raw.writableEnded) leaving.abort(Object.assign(new Error('The client has gone'), { statusCode: 499 }))
  }
  if (raw.destroyed) leave()
  else raw.on('close', leave)
  return leaving.signal
}
