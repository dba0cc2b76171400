import { challenged } from '../../http/refusal.ts'

export const ClientInvalid = challenged('ACCOUNTS_CLIENT_INVALID',
  'The id or the secret of the client is not right', 401, undefined, 'Basic')
