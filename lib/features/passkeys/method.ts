import { Type } from '@sinclair/typebox'
import type { Method } from '../factors/factors.ts'
import { PasskeyInvalid, PasskeyUnknown } from './errors.ts'
import type { Proving } from './proving.ts'
import type { Rows } from './rows.ts'
import { AssertionSchema, type Assertion } from './schema.ts'

/** How a passkey is proved as the second factor, after a ticket: to touch it is enough then. */
export function passkeyMethod (rows: Rows, { prove }: Proving): Method {
  return {
    name: 'passkey',
    field: 'credential',
    FieldSchema: AssertionSchema,
    Refusals: [PasskeyInvalid, PasskeyUnknown],
    isGuessable: false,
    isFactor: true,
    isSetUpFor: async (em, userId) => (await rows.ofUser(em, userId)).length > 0,
    asks: async (em, userId) => (await rows.ofUser(em, userId)).some(({ secondFactor }) => secondFactor),

    check: (credential, { id: userId }, { jti: binding }, request) => prove(request, credential as Assertion, {
      userId, purpose: 'factor', binding, verifiesUser: false, namesUser: false,
    }),

    shown: {
      name: 'passkeys',
      Schema: Type.Integer({ description: 'How many passkeys there are.', examples: [1] }),
      of: async (em, userId) => (await rows.ofUser(em, userId)).length,
    },

    remove: rows.removeAll,
    removeSince: rows.removeSince,
    stopAsking: rows.stopAsking,
  }
}
