import { Type } from '@sinclair/typebox'
import type { AuthenticationSettings } from './options.ts'

/** What somebody may ask for who chooses another password, where there are API keys. */
export function revokeKeysField ({ apiKeys }: Pick<AuthenticationSettings, 'apiKeys'>) {
  return {
    ...apiKeys && {
      revoke_keys: Type.Optional(Type.Boolean({
        description: 'Ends all API keys too: those that a thief has made outlive a new password otherwise.',
      })),
    },
  }
}

/** Since when keys were made that end, by that field of a body: all, or none. */
export function keysToRevoke (body: object): Date | undefined {
  return (body as { revoke_keys?: boolean }).revoke_keys ? new Date(0) : undefined
}
