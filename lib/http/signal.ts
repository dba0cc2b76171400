import type { AnyReply } from './request.ts'

/**
 * Aborted when the client goes away without its answer. Fastify's `request.signal` is no help: it came with 5.8, and is
 * aborted as soon as a body is read.
 */
export function whenGone ({ raw }: AnyReply): AbortSignal {
  const leaving = new AbortController()
  const leave = () => {
    if (!raw.writableEnded) leaving.abort(Object.assign(new Error('The client has gone'), { statusCode: 499 }))
  }
  if (raw.destroyed) leave()
  else raw.on('close', leave)
  return leaving.signal
}
