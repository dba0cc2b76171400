import { Type } from '@sinclair/typebox'
import type { ErrorClass } from '../http/answers.ts'
import { CsrfFailed } from './errors.ts'
import type { Transport, TransportSettings } from './options.ts'

/** The `headers` of an answer that sets or clears cookies, where tokens travel in cookies. */
export function setsCookies (transport: TransportSettings['transport'], description: string) {
  return transport !== 'body' && { headers: { 'set-cookie': { type: 'string', description } } }
}

/** The field by which a client says how its tokens are to travel, where it may choose. */
export function transportFields (transport: TransportSettings['transport']) {
  return transport === 'both' && {
    transport: Type.Optional(Type.Unsafe<Transport>({
      type: 'string',
      enum: ['body', 'cookie'],
      description: 'How the tokens of this session are sent, now and later. Default body.',
    })),
  }
}

/** The fields by which a client says how the tokens of a sign-in are to travel, and for how long. */
export function wishFields (transport: TransportSettings['transport']) {
  return {
    ...transportFields(transport),
    ...transport !== 'body' && {
      remember: Type.Optional(Type.Boolean({ description: 'Whether cookies outlive the browser window.' })),
    },
  }
}

/** The schema of an empty answer that clears the cookies of the session. */
export function ForgottenSchema ({ transport }: TransportSettings) {
  const takesBack = setsCookies(transport, 'Clears the cookies of the session, if it had any.')
  return Type.Null({ description: 'Done', ...takesBack })
}

export const RefreshTokenBodySchema = Type.Object({
  refresh_token: Type.Optional(Type.String({
    description: 'The refresh token. Without it, the header and the cookies are read.',
  })),
}, { additionalProperties: false })

/** The further errors of a route that sets cookies. */
export function ownSiteErrors (transport: TransportSettings['transport']): ErrorClass[] {
  return transport === 'body' ? [] : [CsrfFailed]
}
