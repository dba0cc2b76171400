import type { MailRow } from '../../mail/entity.ts'
import type { FindRecipient } from '../../mail/delivery.ts'
import { mailKinds, type MailKind } from '../../mail/kinds.ts'
import type { MailSettings } from '../../mail/options.ts'
import { isReachable } from '../../mail/reachable.ts'
import type { LookUp } from '../../users/look-up.ts'

/** Kinds of ours that code may send: they need nothing but a user. */
export const sendable: string[] = ['reset', 'verify'] satisfies MailKind[]

/** For how long it makes sense to send what code has written. */
export const ownMailSeconds = 86_400

/** Whether a kind is one of the app's own. */
export function isOwnKind (kind: string, { templates = {} }: Pick<MailSettings, 'templates'>): boolean {
  return Object.hasOwn(templates, kind) && !(mailKinds as readonly string[]).includes(kind)
}

/** Who gets the mails of the app's own kinds: users who are not disabled, at the address that they have by then. */
export function recipientsOfOwn (
  { byId }: Pick<LookUp, 'byId'>, settings: Pick<MailSettings, 'templates'>
): Record<string, FindRecipient> {
  async function find ({ userId }: MailRow) {
    const user = await byId(userId!)
    return user && !user.disabledAt && !user.closesAt && isReachable(user) ? { address: user.email! } : undefined
  }
  const kinds = Object.keys(settings.templates ?? {}).filter((kind) => isOwnKind(kind, settings))
  return Object.fromEntries(kinds.map((kind) => [kind, find]))
}
