import { createPrivateKey, sign, type KeyObject } from 'node:crypto'
import { OptionsInvalid } from '../../../http/errors.ts'
import type { Provider, ProviderOptions } from '../provider.ts'
import { bySecretInBody, providerOf, subjectIn, textIn } from './common.ts'

/** What `apple()` is given. */
export interface AppleOptions extends ProviderOptions {
  /** The Services ID, such as `com.example.web`. */
  clientId: string
  /** Ten characters, at the top right of Apple's developer pages. */
  teamId: string
  /** Of the key for Sign in with Apple: ten characters. */
  keyId: string
  /** That key: what stands in the `.p8` file. */
  privateKey: string
}

const audience = 'https://appleid.apple.com'

/** Apple takes secrets of up to half a year; ours are made for each request. */
const secretSeconds = 300

/**
 * Apple. Its answer comes as a form, and its secret is a token that is signed with a key of yours. It vouches for
 * addresses that it says are verified, those that it relays among them.
 * @throws {OptionsInvalid} for options that are not
 */
export function apple (options: AppleOptions): Provider {
  const { clientId, teamId, keyId, privateKey } = options
  const key = readKey(privateKey)
  if (![teamId, keyId].every((each) => typeof each === 'string' && each !== '')) {
    throw new OptionsInvalid('Apple: teamId and keyId are needed')
  }
  return providerOf({
    id: 'apple',
    name: 'Apple',
    issuer: audience,
    scope: ['openid', 'name', 'email'],
    parameters: { response_mode: 'form_post' },
    authenticate: bySecretInBody(clientId, () => secretOf(key, { teamId, keyId, clientId })),
    personOf: (claims) => ({
      subject: subjectIn(claims),
      email: textIn(claims, 'email'),
      // Of all providers this one alone writes it as a text at times.
      isVouched: claims.email_verified === true || claims.email_verified === 'true',
    }),
  }, options)
}

function readKey (pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem)
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key
  } catch {}
  throw new OptionsInvalid('Apple: privateKey must be the key of the .p8 file, as PEM')
}

/** A client secret as Apple wants it: a JWT, by ES256. */
function secretOf (key: KeyObject, { teamId, keyId, clientId }: Pick<AppleOptions, 'teamId' | 'keyId' | 'clientId'>) {
  const iat = Math.floor(Date.now() / 1000)
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iss: teamId, iat, exp: iat + secretSeconds, aud: audience, sub: clientId }
  const input = `${part({ alg: 'ES256', kid: keyId })}.${part(claims)}`
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}
