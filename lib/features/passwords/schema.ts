import { Type } from '@sinclair/typebox'
import { inDocument } from '../../http/answers.ts'
import type { PasswordSettings } from './options.ts'

/** A new password, with the rules that a form can show. */
export function PasswordSchema ({ password: { minLength, maxLength, blocklist, breached } }: PasswordSettings) {
  const rules = [
    `${minLength} to ${maxLength} characters, of any kind but control and unassigned characters.`,
    ...blocklist
      ? ['No common password, no repetition of a few characters, and no sequence of letters, digits or ' +
      'keys.']
      : [],
    'Not built on the user name, the e-mail address or a word of this service.',
    ...breached ? ['None that is known from a data breach.'] : [],
  ]
  return Type.String({ description: rules.join(' '), [inDocument]: { minLength, maxLength } })
}
