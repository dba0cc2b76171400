import { challenged } from '../http/refusal.ts'

export const CredentialsInvalid = challenged('ACCOUNTS_CREDENTIALS_INVALID',
  'The name, the address or the password is not right')
