import type { Filled } from '../../checks/slice.ts'
import { linkProblems, withMail, type options as mailOptions } from '../../mail/options.ts'
import { RouteSchema, type RouteSwitch } from '../routes.ts'

export const routes = {
  emailLogin: RouteSchema('/login/email', false, '`POST /login/email`, `POST /login/email/complete`, with mail.', {
    method: 'POST', issues: true, isOfUse: withMail,
  }),
}

/** It is off unless it is asked for: then there has to be mail. */
export function problems (
  { mail, routes: { emailLogin } }: Filled<Pick<typeof mailOptions, 'mail'>> & { routes: { emailLogin: RouteSwitch } }
): string[] {
  return emailLogin ? linkProblems('routes.emailLogin', 'login', mail) : []
}

/** What the settings say of signing in by mail. */
export interface EmailLoginSettings {
  routes: Record<string, string>
}
