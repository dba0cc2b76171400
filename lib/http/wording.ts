import type { FastifyBaseLogger } from 'fastify'
import type { ChallengedError } from './refusal.ts'
import type { AnyRequest } from './request.ts'
import { isOurs } from './our-error.ts'

/** Texts in place of the usual ones, or functions that give them, by the `code` of the error. */
export type Messages<Code extends string = string> = {
  [each in Code]?: string | ((request: AnyRequest, message: string) => string)
}

/** What the settings say of the words and the challenges of errors. */
export interface WordingSettings {
  /** Other texts for errors, by code. */
  messages: Messages
  /** The realm of challenges. */
  realm: string
  header: {
    /** The scheme of challenges; `''` for the usual one. */
    scheme: string
  }
}

/** Puts an error of ours into the app's own words. Other errors stay as they are. */
export type Wording = <Thrown>(error: Thrown, request: AnyRequest) => Thrown

/**
 * Writes the texts of `messages` into errors, and the app's realm and scheme into their challenges. The description in
 * a challenge stays as it is: it must be ASCII (RFC 6750 §3).
 */
export function createWording ({ messages, realm, header }: WordingSettings, log: FastifyBaseLogger): Wording {
  function messageOf (text: NonNullable<Messages[string]>, request: AnyRequest, usual: string): string {
    if (typeof text === 'string') return text
    try {
      const words: unknown = text(request, usual)
      if (typeof words === 'string') return words
      // A promise that fails later would otherwise end the process.
      Promise.resolve(words).catch(() => {})
      throw new TypeError('A function of messages must give a text, and no promise of one')
    } catch (error) {
      log.error(error, 'A function of messages failed')
      return usual
    }
  }

  const worded = new WeakSet<object>()

  return (error, request) => {
    if (!isOurs(error) || worded.has(error)) return error
    worded.add(error)

    const text = Object.hasOwn(messages, error.code) ? messages[error.code] : undefined
    if (text !== undefined) error.message = messageOf(text, request, error.message)
    if (isChallenged(error)) {
      const scheme = error.scheme ?? (header.scheme || 'Bearer')
      error.headers = { 'www-authenticate': `${scheme} realm="${realm}"${error.parameters}` }
    }
    return error
  }
}

function isChallenged (error: Error): error is ChallengedError {
  return 'parameters' in error
}
