import { createHash } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import { Unavailable } from '../../http/errors.ts'
import type { BreachSettings } from './options.ts'
import type { Rule } from './rule.ts'

/** Five times what a padded answer has today. */
const mostBytes = 512 * 1024

/** How many hexadecimal digits of a hash are told: about 2000 breached passwords share them. */
const prefixLength = 5

/**
 * Asks a list of breached passwords by the range API of Have I Been Pwned. Only the first 5 digits of the SHA-1 leave
 * this process, padding hides from who watches the line how many answers there are, and no redirect is followed.
 */
export function createBreachCheck (
  { url, timeoutSeconds, whenUnreachable, minCount }: BreachSettings, log: FastifyBaseLogger
): Rule {
  async function range (prefix: string, gone: AbortSignal): Promise<string> {
    const response = await fetch(`${url}${prefix}`, {
      headers: { 'add-padding': 'true', 'user-agent': 'fastify-jwt-accounts' },
      redirect: 'error',
      signal: AbortSignal.any([gone, AbortSignal.timeout(timeoutSeconds * 1000)]),
    })
    const text = await read(response)
    if (response.status !== 200) throw new Error(`The list of breached passwords answered with ${response.status}`)
    return text
  }

  return async (password, _owner, gone = new AbortController().signal) => {
    const hash = createHash('sha1').update(password).digest('hex').toUpperCase()
    try {
      const count = countIn(await range(hash.slice(0, prefixLength), gone), hash.slice(prefixLength))
      return count >= minCount ? 'must not be one that is known from a data breach' : undefined
    } catch (cause) {
      gone.throwIfAborted()
      if (whenUnreachable === 'refuse') throw new Unavailable({ cause })
      log.warn(cause, 'The list of breached passwords cannot be reached: a new password was accepted without it')
      return undefined
    }
  }
}

async function read ({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.length
    if (bytes > mostBytes) throw new Error('The list of breached passwords answers with too much')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('latin1')
}

/** How often a hash was seen: lines of its other 35 digits, a colon and a number, which is 0 in padding. */
function countIn (range: string, suffix: string): number {
  const lines = range.toUpperCase().split(/\r?\n/).filter(Boolean)
  if (!lines.every((line) => /^[0-9A-F]{35}:\d{1,15}$/.test(line))) { throw new Error('The list of breached passwords answers with something else') }
  return Number(lines.find((line) => line.startsWith(suffix))?.slice(suffix.length + 1) ?? 0)
}
