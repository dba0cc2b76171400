import { askNow } from '../../host/ask.ts'
import { isStorable } from '../../users/fields.ts'
import { readEmail } from '../../users/identifiers.ts'
import type { ProviderAnswer, ProviderClient, ProviderTokens } from './client.ts'
import type { Subject } from './rows.ts'

/** Who has come back from a provider. */
export interface Person extends Subject {
  /** As it would be stored. Undefined where there is none, or what is said is none. */
  email: string | undefined
  isVouched: boolean
  /** What the app makes of the claims for a new user. */
  fields: Record<string, unknown>
  /** Undefined for one factor. */
  acr: 'aal2' | undefined
  tokens: ProviderTokens
}

/** What a column holds. */
const mostLength = 255

/**
 * Reads who it is of what a provider has said.
 * @throws {ProviderFailed} where it does not say
 */
export function readPerson (
  { provider, failed }: Pick<ProviderClient, 'provider' | 'failed'>, { claims, tokens }: ProviderAnswer
): Person {
  const { subject, email, isVouched } = askNow(() => provider.personOf(claims))
  const issuer = provider.endpoints ? provider.issuer : claims.iss
  if (!isName(subject) || !isName(issuer)) throw failed({ reason: 'SUBJECT' })
  const { profile, acr } = provider
  return {
    issuer,
    subject,
    email: email === undefined ? undefined : addressIn(email),
    isVouched: isVouched === true,
    fields: profile ? Object(askNow(() => profile(structuredClone(claims)))) : {},
    acr: acr && askNow(() => acr(structuredClone(claims))) === 'aal2' ? 'aal2' : undefined,
    tokens,
  }
}

function isName (text: unknown): text is string {
  return typeof text === 'string' && text !== '' && text.length <= mostLength && isStorable(text)
}

function addressIn (text: string): string | undefined {
  return unlessInvalid(() => readEmail(text))
}

/** What is read, or undefined for what users could not give either. */
export function unlessInvalid<Value> (read: () => Value): Value | undefined {
  try {
    return read()
  } catch {}
}
