import { Type, type TOptional, type TString } from '@sinclair/typebox'
import { v7 as uuid } from 'uuid'
import { InputInvalid } from '../../http/errors.ts'
import { isId } from '../../tokens/claims.ts'
import { identifierKey, readEmail, readUsername } from '../../users/identifiers.ts'
import { FactorExists } from '../factors/errors.ts'
import type { Instead } from '../register/instead.ts'
import { provedByNew, type StorePasskey } from './adding.ts'
import { creationOptions } from './ceremonies.ts'
import { PasskeyInvalid } from './errors.ts'
import type { PasskeyParts } from './parts.ts'
import { AttestationSchema, type Attestation } from './schema.ts'

/** The names that somebody is going to register with. */
interface Names {
  username?: string | undefined
  email?: string | undefined
}

/** Accounts that begin with a passkey, and have no password. */
export interface PasskeyRegistration {
  /** The members of a body that are the names. */
  names: { username?: TOptional<TString>, email?: TOptional<TString> }
  /**
   * The options for the passkey of somebody who is going to register with these names, and what goes with it. Whether
   * they are taken is not looked up.
   * @throws {InputInvalid}
   */
  begin: (names: Names) => { options: object, enrolment: string }
}

export function createPasskeyRegistration (
  { spine, settings, recoveryCodes, challenges, verifier, handleOf }: PasskeyParts, store: StorePasskey,
  nameFields: Record<string, TString>
): { registration: PasskeyRegistration, instead: Instead } {
  const needed = spine.settings.identifiers.includes('username') ? 'username' : 'email'

  /** The id of the user is chosen here: nobody can register with another one, or another name. */
  function bindingOf (id: string, { username, email }: Names): string {
    return `register ${id} ${[username, email].map((name) => name === undefined ? '' : identifierKey(name)).join(' ')}`
  }

  function read ({ username, email }: Names): Names {
    if ({ username, email }[needed] === undefined) throw new InputInvalid(`body must have ${needed}`)
    return {
      ...username !== undefined && { username: readUsername(username) },
      ...email !== undefined && { email: readEmail(email) },
    }
  }

  return {
    registration: {
      names: Object.fromEntries(Object.entries(nameFields).map(([name, field]) => [name, Type.Optional(field)])),
      begin (given) {
        const names = read(given)
        const enrolment = uuid()
        const owner = { handle: handleOf(enrolment), name: (names.username ?? names.email)! }
        const challenge = challenges.make('registration', bindingOf(enrolment, names))
        return { options: creationOptions(settings, owner, challenge, []), enrolment }
      },
    },

    instead: {
      fields: {
        enrolment: Type.String({ maxLength: 64, description: 'As createPasskeyOptions for register has given it.' }),
        credential: AttestationSchema,
      },
      AnswerFields: { recovery_codes: Type.Optional(recoveryCodes.Schema) },
      Refusals: [PasskeyInvalid, FactorExists],

      async check ({ enrolment: id, credential }, names) {
        if (!isId(id as string)) throw new PasskeyInvalid()
        const registered = await verifier.register(credential as Attestation, bindingOf(id as string, names))
        const now = new Date()
        return {
          id: id as string,
          columns: settings.secondFactor ? { mfaAt: now, factorsChangedAt: now } : {},
          proved: provedByNew,
          happening: { type: 'factor-added', reason: 'passkey' },
          async store (tx, userId) {
            await store(tx, userId, registered, { secondFactor: settings.secondFactor })
            return settings.secondFactor ? { recovery_codes: await recoveryCodes.renew(tx, userId) } : {}
          },
        }
      },
    },
  }
}
