/**
 * What a mail is about. Those of the first lines hold a link or a code, or say why there is none; the others are
 * notices.
 */
export const mailKinds = [
  'verify', 'reset', 'change', 'change-from', 'login', 'register', 'invite', 'address-taken', 'register-taken',
  'unknown',
  'password-changed', 'email-changed', 'new-device', 'login-by-mail', 'reuse', 'closing', 'closed', 'roles-raised',
  'factors-changed', 'key-created', 'impersonated', 'identity-linked',
] as const
export type MailKind = typeof mailKinds[number]

/** A kind of ours, or one of the app's own, which has a template. */
export type AnyMailKind = MailKind | (string & {})

/** The pages that links lead to. */
export const pageNames = [
  'verify', 'change', 'revert', 'reset', 'restore', 'disown', 'login', 'register', 'invite',
] as const
export type PageName = typeof pageNames[number]

/** The page that the link of a kind leads to. */
export const pageOfKind: Partial<Record<MailKind, PageName>> = {
  verify: 'verify',
  reset: 'reset',
  change: 'change',
  'change-from': 'change',
  login: 'login',
  register: 'register',
  invite: 'invite',
  'email-changed': 'revert',
  closing: 'restore',
}

/** The switches of notices, which are mails that nobody has asked for. */
export const noticeNames = [
  'passwordChanged', 'emailChanged', 'newDevice', 'loginByMail', 'reuse', 'closing', 'closed', 'rolesRaised',
  'factorsChanged', 'keyCreated', 'impersonated', 'identityLinked',
] as const
export type NoticeName = typeof noticeNames[number]

/** The kind of a notice, by its switch. */
export const kindOfNotice: Record<NoticeName, MailKind> = {
  passwordChanged: 'password-changed',
  emailChanged: 'email-changed',
  newDevice: 'new-device',
  loginByMail: 'login-by-mail',
  reuse: 'reuse',
  closing: 'closing',
  closed: 'closed',
  rolesRaised: 'roles-raised',
  factorsChanged: 'factors-changed',
  keyCreated: 'key-created',
  impersonated: 'impersonated',
  identityLinked: 'identity-linked',
}
