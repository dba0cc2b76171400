import { isIP } from 'node:net'
import { Type } from '@sinclair/typebox'
import { OffUnlessGiven, text } from '../../checks/kinds.ts'
import type { Filled } from '../../checks/slice.ts'
import { RouteSchema } from '../routes.ts'
import { hostsLeaving, isSuffixOf, siteLabelOf } from './origins.ts'

/** An app for Android names itself by the hash of the key that it is signed with. */
const androidForm = /^android:apk-key-hash:[\w-]{43}$/

/** Where browsers let pages have passkeys: an origin with TLS or localhost, which no certificate can be had for. */
function isOrigin (value: string): boolean {
  if (androidForm.test(value)) return true
  if (!URL.canParse(value)) return false
  const { origin, protocol, hostname } = new URL(value)
  const isSafe = protocol === 'https:' || (protocol === 'http:' && hostname === 'localhost')
  return origin === value && isSafe && isIP(hostname.replace(/^\[(.*)\]$/, '$1')) === 0
}

/** A domain as browsers write it: in lower case, punycode, without a dot at the end. */
const isDomain = (value: string) =>
  value.length <= 253 && /^([a-z0-9-]{1,63}\.)*[a-z0-9-]{1,63}$/.test(value) && isIP(value) === 0

export const options = {
  passkeys: OffUnlessGiven({
    origins: Type.Optional(Type.Array(Type.String(text(isOrigin,
      "be an origin such as 'https://app.example.com', 'http://localhost:3000' or 'android:apk-key-hash:…', and no " +
      'IP address')), {
      minItems: 1,
      maxItems: 64,
      usual: 'none; needed',
      description: 'The exact origins of your pages and apps, with the port. Passkeys from other origins are ' +
        'refused. The first must be an `https:` origin or `http://localhost`.',
    })),
    rpId: Type.Optional(Type.String({
      ...text(isDomain, "be a domain such as 'example.com'"),
      usual: 'the host of the first origin',
      description: 'The domain that passkeys belong to: the host of the first origin, or a parent domain of it. If ' +
        'you change it, all existing passkeys stop working.',
    })),
    rpName: Type.Optional(Type.String({
      ...text((value) => !/\p{C}/u.test(value), 'hold no control characters'),
      minLength: 1,
      maxLength: 64,
      usual: '`passkeys.rpId`',
      description: 'The name of your app that authenticators may show.',
    })),
    secondFactor: Type.Boolean({
      default: true,
      description: 'Whether a new passkey is also a second factor, so that the password alone no longer signs in. ' +
        'A request can override it with `second_factor`.',
    }),
    max: Type.Integer({
      minimum: 1,
      maximum: 100,
      default: 20,
      description: 'The maximum number of passkeys of a ' +
      'user.'
    }),
  }, {
    description: 'Sign-in with passkeys, with the package @simplewebauthn/server ([passkeys](passkeys.md)).',
  }),
}

export const routes = {
  passkeys: RouteSchema('/passkeys', true, '`/passkeys` and everything below it, with `passkeys`.', {
    method: 'POST', issues: true, isOfUse: (_, { passkeys }: Given) => Boolean(passkeys),
  }),
}

type Given = Filled<typeof options>

/** What the settings say of passkeys. */
export interface PasskeySettings {
  passkeys: ReturnType<typeof read>['passkeys']
  routes: Record<string, string>
}

/** More related sites than this browsers do not look at (WebAuthn L3 §5.11). */
const mostSites = 5

export function problems ({ passkeys }: Given): string[] {
  if (!passkeys) return []
  const { origins = [] } = passkeys
  const [first] = origins
  if (first === undefined) return ['passkeys.origins is needed']
  if (!first.startsWith('http')) return ['passkeys.origins must begin with an origin of a page']
  const { hostname } = new URL(first)
  const { rpId = hostname } = passkeys
  const isBelow = isSuffixOf(rpId, hostname)
  const sites = new Set(hostsLeaving(origins, rpId).map(siteLabelOf))
  const rules: [isBroken: boolean, problem: string][] = [
    [!isBelow, 'passkeys.rpId must be the host of the first of passkeys.origins, or a domain that it is below'],
    [sites.size > mostSites,
      `passkeys.origins must not be on more than ${mostSites} sites beside that of passkeys.rpId`],
  ]
  return rules.filter(([isBroken]) => isBroken).map(([, problem]) => problem)
}

export function read (given: Given) {
  if (!given.passkeys) return { passkeys: undefined }
  const { origins = [], secondFactor, max, ...party } = given.passkeys
  const { rpId = new URL(origins[0]!).hostname, rpName = rpId } = party
  return { passkeys: { origins, rpId, rpName, secondFactor, max } }
}
