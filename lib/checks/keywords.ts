import { Ajv } from 'ajv'
import { dialectOf } from '../database/url.ts'
import { isDuration } from './durations.ts'

/**
 * A checker of options: it finds everything that is wrong, and knows what JSON Schema does not. Options are checked once,
 * so code that is better would cost more than it saves.
 */
export function createOptionsAjv (): Ajv {
  const ajv = new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true, validateSchema: false, meta: false, code: { optimize: false } })
  ajv.addKeyword({ keyword: 'duration', validate: (rule: { zero?: boolean, most?: number }, value: unknown) => isDuration(value, rule) })
  ajv.addKeyword({ keyword: 'fresh', validate: (_: true, value: unknown) => typeof value === 'boolean' || isDuration(value) })
  ajv.addKeyword({ keyword: 'callable', validate: (_: true, value: unknown) => typeof value === 'function' })
  ajv.addKeyword({ keyword: 'switch', validate: (_: true, value: unknown) => value !== true })
  ajv.addKeyword({ keyword: 'message', validate: (_: true, value: unknown) => ['string', 'function'].includes(typeof value) })
  ajv.addKeyword({ keyword: 'database', type: 'string', validate: (_: true, value: string) => dialectOf(value) !== undefined })
  ajv.addKeyword({ keyword: 'path', type: 'string', validate: (pattern: string, value: string) => new RegExp(pattern).test(value) })
  ajv.addKeyword({ keyword: 'origin', type: 'string', validate: (_: true, value: string) => isOrigin(value) })
  ajv.addKeyword({ keyword: 'http', type: 'string', validate: (_: true, value: string) => isHttp(value) })
  return ajv
}

/** With a name and a password in it, nobody could be asked. */
function isHttp (text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password } = new URL(text)
  return ['http:', 'https:'].includes(protocol) && `${username}${password}` === ''
}

/** As browsers write it in `Origin` (RFC 6454 §6.1), and no pattern. Apps in a shell have schemes of their own, which are no more than a name. */
function isOrigin (text: string): boolean {
  if (!/^https?:/.test(text)) return /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+$/.test(text)
  return URL.canParse(text) && new URL(text).origin === text && !text.includes('*')
}
