import { OptionsInvalid } from '../../../http/errors.ts'
import type { AuthenticateClient, Provider, ProviderClaims, ProviderOptions } from '../provider.ts'

/** What a kind of providers says of itself, beside what the app chooses. */
export interface Kind extends
  Pick<Provider, 'id' | 'name' | 'issuer' | 'authenticate' | 'personOf'>,
  Partial<Omit<Provider, 'id' | 'name' | 'issuer' | 'authenticate' | 'personOf' | 'scope'>> {
  scope: string[]
}

const idForm = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/

/**
 * A provider of this kind, as the app has chosen.
 * @throws {OptionsInvalid} for choices that are none
 */
export function providerOf (kind: Kind, options: ProviderOptions): Provider {
  const { id = kind.id, name = kind.name, clientId, scope = kind.scope, profile, acr, registers, fetch } = options
  const rules: [isBroken: boolean, problem: string][] = [
    [typeof id !== 'string' || !idForm.test(id), 'id must be of lower-case letters, digits and hyphens'],
    [typeof name !== 'string' || name === '', 'name must be a text'],
    [typeof clientId !== 'string' || clientId === '', 'clientId is needed'],
    [!Array.isArray(scope) || !scope.every((each) => /^[!#-[\]-~]+$/.test(each)), 'scope must be a list of scopes'],
  ]
  const problems = rules.filter(([isBroken]) => isBroken).map(([, problem]) => problem)
  if (problems.length > 0) throw new OptionsInvalid(`${kind.name}: ${problems.join('; ')}`)

  return Object.freeze({
    usesPkce: true,
    usesNonce: kind.endpoints === undefined,
    asksUserInfo: false,
    stepUpParameters: {},
    ...kind,
    id,
    name,
    clientId,
    scope: scope.join(' '),
    parameters: { ...kind.parameters, ...options.parameters },
    profile,
    acr,
    registers,
    storeTokens: options.storeTokens === true,
    fetch,
  })
}

/** RFC 6749 §2.3.1, in the body. */
export function bySecretInBody (clientId: string, secret: string | (() => string)): AuthenticateClient {
  return (body) => {
    body.set('client_id', clientId)
    body.set('client_secret', typeof secret === 'string' ? secret : secret())
  }
}

/** RFC 6749 §2.3.1, in the header: both parts are encoded as in a form. */
export function bySecretInHeader (clientId: string, secret: string): AuthenticateClient {
  const encoded = (text: string) => new URLSearchParams({ _: text }).toString().slice(2)
  const credentials = Buffer.from(`${encoded(clientId)}:${encoded(secret)}`).toString('base64')
  return (_, headers) => headers.set('authorization', `Basic ${credentials}`)
}

/** A client that has no secret, and PKCE alone. */
export function byNothing (clientId: string): AuthenticateClient {
  return (body) => body.set('client_id', clientId)
}

/** @throws {OptionsInvalid} for a secret that is none */
export function requireSecret (name: string, secret: unknown): string {
  if (typeof secret === 'string' && secret !== '') return secret
  throw new OptionsInvalid(`${name}: clientSecret is needed`)
}

/** A claim that is a text with something in it. Undefined for anything else. */
export function textIn (claims: ProviderClaims, name: string): string | undefined {
  const value = claims[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A subject may be a number where no ID token has it. Empty where there is none, which nobody is. */
export function subjectIn (claims: ProviderClaims, name = 'sub'): string {
  const value = claims[name]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
