import { Type } from '@sinclair/typebox'

/** How RFC 7009 and RFC 7662 speak of a token, and in which forms. */
export const tokenFields = {
  token: Type.String({ description: 'An access token, a refresh token or an API key.' }),
  token_type_hint: Type.Optional(Type.String({ description: 'Not needed: a token says what it is.' })),
}
export const tokenForms = ['application/x-www-form-urlencoded', 'application/json']
