import type { EntityManager } from '@mikro-orm/core'
import { clientOf, type AnyReply, type AnyRequest } from '../../http/request.ts'
import type { MailKind } from '../../mail/kinds.ts'
import type { Mailing } from '../../mail/mail.ts'
import { lives } from '../../one-time/purposes.ts'
import type { Challenge } from '../../one-time/schema.ts'
import { challengeHash } from '../../one-time/secrets.ts'
import { identifierKey, readEmail } from '../../users/identifiers.ts'
import type { AccountsUser } from '../../users/public-user.ts'
import type { Challenges } from './challenges.ts'

/** A mail that a request asks for. */
export interface Asking {
  kind: MailKind
  purpose: keyof typeof lives
  /** Of the body: that of an answer before. */
  challengeId: string | undefined
  /** Who is signed in. */
  user?: AccountsUser
  /** What somebody typed who is not signed in. Nobody is looked up before they are answered. */
  identifier?: string
  /** Where it goes, if not to the user's own address. */
  address?: string
  data?: Record<string, unknown>
}

/** A mail that is asked for in a transaction of something else. */
export interface BegunMail {
  write: (tx: EntityManager) => Promise<void>
  /** The answer to who asked, once that is committed. */
  answer: (reply: AnyReply) => Challenge
}

/**
 * Begins to ask for a mail, by a request that something else has counted.
 * @throws {InputInvalid} for a challenge of another form
 */
export type BeginMail = (request: AnyRequest, asking: Asking) => BegunMail

/** What a mail that nobody is signed in for waits before it is made, so that the asker's next request sees nothing. */
const delay = () => 50 + 450 * Math.random()

export function createBeginMail ({ settings, localeFor, write }: Mailing, challenges: Challenges): BeginMail {
  return (request, { kind, purpose, challengeId, user, identifier, address, data }) => {
    const { seconds } = lives[purpose]
    const challenge = challenges.of(challengeId)
    const client = clientOf(request)
    const job = {
      kind,
      challenge: challengeHash(challenge),
      client,
      locale: localeFor(user ?? null, client, request),
      seconds,
      ...user && { userId: user.id },
      ...address !== undefined && { address },
      ...data && { data },
      ...identifier !== undefined && { identifierKey: identifierKey(identifier), delayMs: delay() },
      ...identifier !== undefined && settings.unknown === 'tell' && addressIn(identifier),
    }
    return {
      write: async (tx) => { await write(tx, job) },
      answer: (reply) => challenges.answer(reply, challenge, seconds),
    }
  }
}

/** The address that was typed, if it is one: it is kept where it is to be told that it has no account. */
function addressIn (identifier: string): { address?: string } {
  try {
    return { address: readEmail(identifier) }
  } catch {
    return {}
  }
}
