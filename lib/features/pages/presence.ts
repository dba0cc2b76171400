import type { AnyRequest } from '../../http/request.ts'
import type { PagesWords, WrittenPage } from '../../mail/page-words.ts'
import { challengeHash, readCode } from '../../one-time/secrets.ts'
import { identifierKey } from '../../users/identifiers.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import { rows } from './rows.ts'

/** What somebody has typed into a page, and the token that its script has put there. */
export interface Typed {
  token?: string
  code?: string
  email?: string
  new_password?: string
}

/**
 * Says what is missing for the press of a button to be that of a person: scanners of mails open each link, run the
 * scripts of its page and press its buttons, but they have not the cookie of the browser that asked, and type nothing.
 * A link that is not good is left to the act of the page, which counts it.
 */
export type MissingPresence = (
  name: WrittenPage, request: AnyRequest, token: string, typed: Typed
) => Promise<keyof PagesWords['missing'] | undefined>

export function createPresence ({ mailing: { oneTimes }, challenges }: MailProofs): MissingPresence {
  return async (name, request, token, { code = '', email = '' }) => {
    const { purposes, asks } = rows[name]
    if (asks === 'password') return

    const row = await oneTimes.peek(purposes, token)
    const challenge = challenges.shown(request, {})
    const isAsker = challenge !== undefined && row?.challenge === challengeHash(challenge)
    if (!row || isAsker) return

    const isTyped = asks === 'code' ? oneTimes.isCode(row, readCode(code)) : identifierKey(email) === row.addressKey
    return isTyped ? undefined : asks
  }
}
