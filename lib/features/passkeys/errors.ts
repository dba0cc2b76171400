import createError from '@fastify/error'
import { challenged } from '../../http/refusal.ts'

export const PasskeyInvalid = challenged('ACCOUNTS_PASSKEY_INVALID', 'The passkey was not accepted')
export const PasskeyUnknown = challenged('ACCOUNTS_PASSKEY_UNKNOWN', 'This passkey is not known')
export const PasskeysFull = createError('ACCOUNTS_PASSKEYS_FULL', 'The user has the maximum number of passkeys', 409)
