import { Type } from '@sinclair/typebox'
import type { ErrorClass } from '../http/answers.ts'
import { CsrfFailed } from './errors.ts'
import type { Transport, TransportSettings } from './options.ts'

/** The header that brings cookies or takes them back, where there are any. */
export function setsCookies (transport: TransportSettings['transport'], description: string) {
  return transport !== 'body' && { headers: { 'set-cookie': { type: 'string', description } } }
}

/** How a client says where its tokens are to go, where it may say so. */
export function transportFields (transport: TransportSettings['transport']) {
  return transport === 'both' && {
    transport: Type.Optional(Type.Unsafe<Transport>({
      type: 'string',
      enum: ['body', 'cookie'],
      description: 'How the tokens of this session travel, now and later. Default body.',
    })),
  }
}

/** Nothing, but that a browser is told to forget the session. */
export function ForgottenSchema ({ transport }: TransportSettings) {
  const takesBack = setsCookies(transport, 'Takes the cookies of the session back, where it had any.')
  return Type.Null({ description: 'Done', ...takesBack })
}

export const RefreshTokenBodySchema = Type.Object({
  refresh_token: Type.Optional(Type.String({
    description: 'The refresh token. Without it, the other places are looked at.',
  })),
}, { additionalProperties: false })

/** What a route that sets cookies may answer beside. */
export function ownSiteErrors (transport: TransportSettings['transport']): ErrorClass[] {
  return transport === 'body' ? [] : [CsrfFailed]
}
