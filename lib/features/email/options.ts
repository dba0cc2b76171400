import { Type } from '@sinclair/typebox'
import { Group, OneOf } from '../../checks/kinds.ts'
import { settled, type Filled } from '../../checks/slice.ts'
import { linkProblems, withMail, type options as mailOptions } from '../../mail/options.ts'
import { RouteSchema } from '../routes.ts'

export const routes = {
  verifyEmail: RouteSchema(
    '/email/verify', true, '`POST /email/verify`, `POST /email/verify/send`, `POST /email/disown`, with mail.',
    { method: 'POST', also: ['/email/verify/send', '/email/disown'], isOfUse: withMail }
  ),
  changeEmail: RouteSchema('/email', true, '`PUT /email`, `POST /email/change`, `POST /email/revert`, with mail.', {
    method: 'PUT', also: ['/email/change', '/email/revert'], isOfUse: withMail,
  }),
}

export const options = {
  email: Group({
    verification: Type.Optional(OneOf(['none', 'offered', 'first'], {
      usual: "`'offered'` with mail, else `'none'`",
      description: "Whether a registration verifies the address. `'offered'` signs the user in at once and sends a " +
        "mail. `'first'` creates the user only after the proof ([how](register.md#the-address-first)). `'none'` " +
        'sends no mail.',
    })),
    confirmOld: Type.Boolean({
      default: false,
      description: 'Whether a change of address has to be confirmed from the old address first, if that is ' +
        'verified.',
    }),
  }),
}

type Given = Filled<typeof options & Pick<typeof mailOptions, 'mail'>>

/** What the settings say of addresses. */
export type EmailSettings = ReturnType<typeof read>

export function problems ({ email: { verification }, mail }: Given): string[] {
  if (verification === 'first') return linkProblems("email.verification 'first'", 'register', mail)
  return verification === 'offered' && !mail ? ["email.verification 'offered' needs mail"] : []
}

export function read (given: Given) {
  const { email: { verification = given.mail ? 'offered' : 'none', confirmOld } } = settled(options, given)
  return { email: { verification, confirmOld } }
}
