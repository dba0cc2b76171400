import { Type, type TObject, type TSchema } from '@sinclair/typebox'
import { component } from '../http/component.ts'
import { setsCookies } from '../transport/schema.ts'
import type { SignInSettings } from './options.ts'

const examples = {
  access: 'eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9…',
  refresh: 'eyJhbGciOiJIUzI1NiIsInR5cCI6InJ0K2p3dCJ9…',
  csrf: 'K3vXc0mY7dQm2h8sJw9rTfUeNqLbAz4i1oGp5yRtWxE',
}

/** The schema of an answer with tokens, or with what stays in the body when they travel in cookies. */
export function tokenResponseSchema ({ transport, access, refresh }: SignInSettings, UserSchema: TObject) {
  const inBody = (schema: TSchema) => transport === 'body' ? schema : Type.Optional(schema)
  const inCookies = (schema: TSchema) => transport === 'cookie' ? schema : Type.Optional(schema)
  const cookies = 'The tokens and the CSRF value, if the session uses cookies.'

  return component('TokenResponse', Type.Object({
    ...transport !== 'cookie' && {
      access_token: inBody(Type.String({
        description: 'Goes into the header Authorization: Bearer.', examples: [examples.access],
      })),
    },
    token_type: Type.Literal('Bearer'),
    expires_in: Type.Integer({
      description: 'Seconds until the access token expires.', examples: [access.expiresInSeconds],
    }),
    ...transport !== 'cookie' && {
      refresh_token: inBody(Type.String({
        description: 'Exchanged for the next pair of tokens. Keep it secret.', examples: [examples.refresh],
      })),
    },
    refresh_expires_in: Type.Integer({
      description: 'Seconds until the refresh token expires.', examples: [refresh.expiresInSeconds],
    }),
    ...transport !== 'body' && {
      csrf_token: inCookies(Type.String({
        description: 'Goes into a header of requests with cookies that change something.',
        ...transport === 'cookie' && { examples: [examples.csrf] },
      })),
    },
    user: UserSchema,
  }, { description: 'A pair of tokens and their user', ...setsCookies(transport, cookies) }))
}
