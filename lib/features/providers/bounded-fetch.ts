import { msLeft } from '../../http/deadline.ts'

/** No answer of a provider is longer, in bytes. */
const mostBytes = 256 * 1024

/** A provider has this time for each answer. */
const mostMs = 5_000

/** What is left of a request's time for the database, once a provider has answered at last. */
const keptMs = 1_000

/**
 * Asks a provider, which has a few seconds and may answer a few pages of text, and no other server for it: no redirect
 * is followed.
 * @throws what `fetch` throws, and for an answer that is too long
 */
export function boundedFetch (ask: typeof fetch): typeof fetch {
  return async (url, options = {}) => {
    const ms = Math.max(1, Math.min(mostMs, msLeft() - keptMs))
    const response = await ask(url, { ...options, redirect: 'manual', signal: AbortSignal.timeout(ms) })
    const { status, headers } = response
    return new Response(await readBody(response), { status, headers })
  }
}

async function readBody ({ body }: Response): Promise<Buffer<ArrayBuffer> | null> {
  if (!body) return null
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of body as unknown as AsyncIterable<Uint8Array>) {
    bytes += part.length
    if (bytes > mostBytes) throw new Error('The answer of the provider is too long')
    parts.push(part)
  }
  return Buffer.concat(parts)
}
