import { eachWithDeadline } from '../../http/deadline.ts'
import type { ApiKeys } from '../api-keys/open.ts'
import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { introspect } from './introspect.ts'
import { jwks } from './jwks.ts'
import type { IntrospectionSettings } from './options.ts'
import { revoke } from './revoke.ts'
import { createRevokeToken, createTokenServices, type TokenServices } from './services.ts'

export async function open (
  spine: Spine, settings: IntrospectionSettings, { apiKeys }: { apiKeys: ApiKeys | undefined }
): Promise<Open<undefined, TokenServices>> {
  const revokeToken = createRevokeToken(spine, apiKeys)
  const { decode, clearCookies, ...asking } = createTokenServices(spine, revokeToken)
  return {
    face: undefined,
    routes: { jwks: jwks(spine), revoke: revoke(revokeToken), introspect: introspect(spine, apiKeys, settings) },
    services: { decode, clearCookies, ...eachWithDeadline(asking) },
  }
}
