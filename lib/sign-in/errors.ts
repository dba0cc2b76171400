import { challenged } from '../http/refusal.ts'

export const CredentialsInvalid = challenged('ACCOUNTS_CREDENTIALS_INVALID',
  'The user name, e-mail address or password is wrong')
