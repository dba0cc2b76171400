import { challenged } from '../../http/refusal.ts'

export const ClientInvalid = challenged('ACCOUNTS_CLIENT_INVALID',
  'The id or secret of the client is wrong', 401, undefined, 'Basic')
