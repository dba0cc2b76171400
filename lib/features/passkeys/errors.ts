import createError from '@fastify/error'
import { challenged } from '../../http/refusal.ts'

export const PasskeyInvalid = challenged('ACCOUNTS_PASSKEY_INVALID', 'The passkey does not prove it')
export const PasskeyUnknown = challenged('ACCOUNTS_PASSKEY_UNKNOWN', 'There is no such passkey here')
export const PasskeysFull = createError('ACCOUNTS_PASSKEYS_FULL', 'There may be no more passkeys', 409)
