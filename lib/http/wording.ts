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

/** The app's own text for an error of ours. Undefined for other errors, and where the app gives none. */
export type OwnText = (error: unknown, request: AnyRequest) => string | undefined

export function createOwnText ({ messages }: Pick<WordingSettings, 'messages'>, log: FastifyBaseLogger): OwnText {
  return (error, request) => {
    const text = isOurs(error) && Object.hasOwn(messages, error.code) ? messages[error.code] : undefined
    if (typeof text !== 'function') return text
    try {
      const words: unknown = text(request, (error as Error).message)
      if (typeof words === 'string') return words
      // A promise that fails later would otherwise end the process.
      Promise.resolve(words).catch(() => {})
      throw new TypeError('A function of messages must give a text, and no promise of one')
    } catch (failure) {
      log.error(failure, 'A function of messages failed')
    }
  }
}

/**
 * Writes the texts of `messages` into errors, and the app's realm and scheme into their challenges. The description in
 * a challenge stays as it is: it must be ASCII (RFC 6750 §3).
 */
export function createWording ({ messages, realm, header }: WordingSettings, log: FastifyBaseLogger): Wording {
  const ownText = createOwnText({ messages }, log)
  const worded = new WeakSet<object>()

  return (error, request) => {
    if (!isOurs(error) || worded.has(error)) return error
    worded.add(error)

    error.message = ownText(error, request) ?? error.message
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
