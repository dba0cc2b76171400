import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server'
import t from 'tap'
import { softPasskey, type SoftPasskeyOptions } from '../../../lib/testing.ts'

const origin = 'https://app.example.com'
const rpId = 'example.com'
const challenge = 'AAECAwQFBgcICQoLDA0ODw'
const algorithms = [-8, -7, -257]
const creating = (alg: number) => ({
  rp: { id: rpId, name: 'Example' },
  user: { id: 'dXNlcg', name: 'ada', displayName: 'ada' },
  challenge,
  pubKeyCredParams: [{ type: 'public-key', alg: -999 }, { type: 'public-key', alg }],
})
const expected = { expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: rpId }

async function registered (options: Partial<SoftPasskeyOptions> = {}, alg = -7) {
  const passkey = softPasskey({ origin, ...options })
  const response: any = passkey.create(creating(alg))
  const { registrationInfo } = await verifyRegistrationResponse({
    response, ...expected, requireUserVerification: false, supportedAlgorithmIDs: algorithms,
  })
  return { passkey, info: registrationInfo! }
}

async function proved ({ passkey, info }: Awaited<ReturnType<typeof registered>>) {
  const response: any = passkey.get({ challenge, rpId })
  const { verified, authenticationInfo } = await verifyAuthenticationResponse({
    response, ...expected, credential: { ...info.credential, counter: 0 }, requireUserVerification: false,
  })
  return { verified, response, info: authenticationInfo }
}

t.test('a passkey in software is one that servers take, with a key of each kind', async (t) => {
  for (const alg of algorithms) {
    const made = await registered({}, alg)
    t.match(made.info, { fmt: 'none', userVerified: true, credentialDeviceType: 'singleDevice', aaguid: /^[0-]+$/ })
    const { verified, response, info } = await proved(made)
    t.ok(verified, `${alg}`)
    t.match(info, { newCounter: 0, userVerified: true, credentialBackedUp: false, origin, rpID: rpId })
    t.equal(response.response.userHandle, 'dXNlcg')
  }
})

t.test('it verifies its user, is synced and counts as it is told', async (t) => {
  const synced = await registered({ synced: true, verified: false })
  t.match(synced.info, { credentialDeviceType: 'multiDevice', credentialBackedUp: true, userVerified: false })
  t.match((await proved(synced)).info, { userVerified: false, credentialBackedUp: true })

  const counting = await registered({ counts: true })
  t.equal((await proved(counting)).info.newCounter, 1)
  t.equal((await proved(counting)).info.newCounter, 2)
})

t.test('it behaves as a browser does with what it has, and with what it has not', async (t) => {
  const passkey = softPasskey({ origin })
  t.throws(() => passkey.get({ challenge, rpId }), /NotAllowedError/)
  const first = passkey.create(creating(-7))
  const second = passkey.create(creating(-7))

  t.throws(() => passkey.create({ ...creating(-7), excludeCredentials: [{ id: first.id }] }), /InvalidStateError/)
  t.throws(() => passkey.create(creating(-999)), /NotSupportedError/)
  t.equal(passkey.get({ challenge, rpId }).id, second.id)
  t.equal(passkey.get({ challenge, rpId, allowCredentials: [{ id: first.id }] }).id, first.id)
  t.throws(() => passkey.get({ challenge }), /NotAllowedError/, 'a passkey of another domain')

  const here = passkey.create({ ...creating(-7), rp: { name: 'Example' } })
  t.equal(passkey.get({ challenge }).id, here.id, 'without a domain it is that of the page')
})

t.test('there are none in production', async (t) => {
  const before = process.env.NODE_ENV
  process.env.NODE_ENV = 'production'
  t.teardown(() => { before === undefined ? delete process.env.NODE_ENV : process.env.NODE_ENV = before })
  t.throws(() => softPasskey({ origin }), /softPasskey is for tests/)
})
