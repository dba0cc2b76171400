import { admin } from './features/admin/card.ts'
import { adminPage } from './features/admin-page/card.ts'
import { apiKeys } from './features/api-keys/card.ts'
import { audit } from './features/audit/card.ts'
import { closing } from './features/closing/card.ts'
import { emailLogin } from './features/email-login/card.ts'
import { discovery } from './features/discovery/card.ts'
import { exportFeature } from './features/export/card.ts'
import { factors } from './features/factors/card.ts'
import { email } from './features/email/card.ts'
import { impersonation } from './features/impersonation/card.ts'
import { invitations } from './features/invitations/card.ts'
import { mail } from './features/mail/card.ts'
import { outbox } from './features/outbox/card.ts'
import { pages } from './features/pages/card.ts'
import { passkeys } from './features/passkeys/card.ts'
import { passwords } from './features/passwords/card.ts'
import { providers } from './features/providers/card.ts'
import { register } from './features/register/card.ts'
import { recoveryCodes } from './features/recovery-codes/card.ts'
import { reset } from './features/reset/card.ts'
import { sessions } from './features/sessions/card.ts'
import { throttle } from './features/throttle/card.ts'
import { tokenServices } from './features/token-services/card.ts'
import { totp } from './features/totp/card.ts'
import { users } from './features/users/card.ts'

/**
 * The features, each after all that it needs. Their routes are opened in this order, and stand in it in the document.
 */
export const features = [
  throttle, factors, recoveryCodes, totp, mail, email, passwords, register, passkeys, providers, apiKeys, sessions,
  users, admin, tokenServices, discovery, reset, closing, exportFeature, emailLogin, invitations, impersonation, audit,
  adminPage, pages, outbox,
] as const
