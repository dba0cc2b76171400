import { Type, type Static, type TObject } from '@sinclair/typebox'
import { component } from '../http/component.ts'

export const ChallengeSchema = component('Challenge', Type.Object({
  challenge_id: Type.String({
    description: 'Send it back with the code, and to request the mail again. Keep it in the page that requested ' +
      'the mail.',
    examples: ['kT3nHq1yXw8zLbVdRp5sAg'],
  }),
  expires_in: Type.Integer({ description: 'Seconds until the link expires.', examples: [3600] }),
  resend_in: Type.Integer({ description: 'Seconds until it makes sense to request again.', examples: [60] }),
}, { description: 'A mail is on its way, if there is a recipient' }))

export type Challenge = Static<typeof ChallengeSchema>

/** The field by which a mail is asked for again. */
export const ChallengeIdField = Type.Optional(Type.String({
  maxLength: 64,
  description: 'From the previous response, to have the same link and code sent again.',
}))

const proofFields = {
  token: Type.Optional(Type.String({ maxLength: 128, description: 'The token of the link in the mail.' })),
  challenge_id: Type.Optional(Type.String({
    maxLength: 64, description: 'From the response to the request for the mail. Default: the cookie.',
  })),
  code: Type.Optional(Type.String({
    maxLength: 32,
    description: 'The code in the mail. Spaces and dashes are ' +
    'ignored.'
  })),
}

/** What somebody shows who has got a mail. */
export interface Proof {
  token?: string | undefined
  challenge_id?: string | undefined
  code?: string | undefined
}

/** A proof of one kind: a link, or a code with its challenge. */
export type OneProof = { token: string } | { code: string, challenge_id: string }

/** A body with a proof, and what else it holds: the token of the link, or the code with its challenge. */
export function ProofBody<Fields extends TObject['properties']> (fields: Fields) {
  return Type.Object({ ...proofFields, ...fields }, { additionalProperties: false })
}

/** A body with the token of a link alone. */
export const TokenBody = Type.Object({
  token: Type.String({ maxLength: 128, description: 'The token of the link in the mail.' }),
}, { additionalProperties: false })
