import type { WordingSettings } from '../../http/wording.ts'
import type { MailSettings } from '../../mail/options.ts'
import type { PasswordSettings } from '../passwords/options.ts'

/** What the settings say of pages. */
export interface PagesSettings extends Pick<PasswordSettings, 'password'>, Pick<WordingSettings, 'messages'> {
  mail: MailSettings | undefined
}
