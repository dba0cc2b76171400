import { createPrivateKey, createPublicKey } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { weakness } from '../../lib/secrets/weakness.ts'
import { build, decode, encode } from '../support/build.ts'
import { signers } from './signer.ts'

/** Published JOSE vectors, where they lie beside the checkout. */
const folder = new URL('../../../shared/vectors/', import.meta.url)
const skip = existsSync(folder) ? false : 'there are no published vectors beside the checkout'

interface Jwk {
  kty: string
  k?: string
}

/** A token with the key that it was made for: none of them is one of ours, the ones called valid included. */
interface Vector {
  id: string
  token?: string
  key?: { secret_b64url?: string } | null
  jwks?: { keys: Jwk[] }
}

interface SpecialSignature {
  id: string
  sig_b64url: string
}

interface PublishedKey {
  secret_b64url?: string
  private_pem?: string
  public_pem?: string
}

function read<T> (name: string): T {
  return JSON.parse(readFileSync(new URL(name, folder), 'utf8'))
}

function readVectors<T> (t: Test, name: string): T[] {
  const { meta, vectors } = read<{ meta: { count: number }, vectors: T[] }>(name)
  t.equal(vectors.length, meta.count, `all of ${name} are there`)
  return vectors
}

/** The vector's own key, where it is a secret that the plugin takes, in base64url. */
function secretOf ({ key, jwks }: Vector): string {
  const secret = key?.secret_b64url ?? jwks?.keys[0]?.k ?? ''
  return weakness(Buffer.from(secret, 'base64url')) ? '' : secret
}

/** Where a token was not refused with 400 or 401, a code of ours and a challenge. */
async function faultsOf ({ get, post }: Awaited<ReturnType<typeof build>>, token: string): Promise<string[]> {
  const answers = {
    'GET /auth/me, header': await get('/auth/me', token),
    'POST /auth/refresh, body': await post('/auth/refresh', { refresh_token: token }),
    'POST /auth/logout, body': await post('/auth/logout', { refresh_token: token }),
  }
  return Object.entries(answers).flatMap(([place, { statusCode, headers, payload }]) => {
    const isRefused = (statusCode === 400 || statusCode === 401) && payload.includes('"code":"ACCOUNTS_') &&
      String(headers['www-authenticate']).startsWith('Bearer ')
    return isRefused ? [] : [`${place} → ${statusCode} ${payload}`]
  })
}

for (const file of ['wycheproof_jws.json', 'rfc_examples.json', 'golang_jwt_tokens.json', 'wycheproof_jwk.json']) {
  t.test(`no token of ${file} is let in, not even by a server with its key`, { skip }, async (t) => {
    const vectors = readVectors<Vector>(t, file).filter(({ token }) => token !== undefined)
    const keys = Object.entries(Object.groupBy(vectors, secretOf))
    t.ok(keys.length > 1, 'some were made for a key that the plugin takes')

    for (const [secret, ofOneKey] of keys) {
      const client = await build(t, secret ? { secret: Buffer.from(secret, 'base64url') } : {})
      const { access_token: real } = await client.signUp()
      const faults = await Promise.all(
        ofOneKey!.map(async ({ id, token }) => (await faultsOf(client, token!)).map((fault) => `${id}: ${fault}`))
      )
      t.strictSame(faults.flat(), [])
      t.equal((await client.get('/auth/me', real)).statusCode, 200, 'the real token stays good')
    }
  })
}

for (const [alg, file] of [
  ['ES256', 'wycheproof_es256_special_signatures.json'], ['EdDSA', 'wycheproof_ed25519_special_signatures.json'],
] as const) {
  t.test(
    `no special signature of ${alg} makes a token of ours, with a key of its kind least of all`,
    { skip },
    async (t) => {
      const signatures = readVectors<SpecialSignature>(t, file)
      const servers = { HS256: await build(t), [alg]: await build(t, { secret: signers[alg]!.option! }) }

      for (const [name, client] of Object.entries(servers)) {
        const { access_token: access, refresh_token: refresh } = await client.signUp()
        const inputs = [access, refresh]
          .map(decode)
          .flatMap(({ header, payload }) =>
            [...new Set([name, alg])].map((label) => `${encode({ ...header, alg: label })}.${encode(payload)}`)
          )
        const faults = await Promise.all(
          signatures.flatMap(({ id, sig_b64url: signature }) =>
            inputs.map(async (input) =>
              (await faultsOf(client, `${input}.${signature}`)).map((fault) => `${id}: ${fault}`)
            )
          )
        )

        t.strictSame(faults.flat(), [], `a server with ${name}`)
        t.equal((await client.get('/auth/me', access)).statusCode, 200, 'the real token stays good')
      }
    }
  )
}

/** The key in every form in which it might be handed over by mistake. */
function formsOf ({ secret_b64url: k, private_pem: pem, public_pem: publicPem }: PublishedKey): string[] {
  if (!pem) return [JSON.stringify({ kty: 'oct', k }), JSON.stringify({ k, kty: 'oct', alg: 'HS256' }, null, 2)]

  const jwks = [createPrivateKey(pem), createPublicKey(pem)].map((key) => key.export({ format: 'jwk' }))
  return [pem, publicPem!, ...jwks.map((jwk) => JSON.stringify(jwk)), JSON.stringify({ keys: jwks })]
}

t.test('no published key is taken as a secret in the form of a JWK, a set of them or a PEM', { skip }, async (t) => {
  const sets = readVectors<Vector>(t, 'wycheproof_jwk.json').map(({ jwks }) => jwks!)
  const texts = [
    ...sets.map((set) => JSON.stringify(set)),
    ...sets.flatMap(({ keys }) => keys.map((key) => JSON.stringify(key))),
    ...Object.values(read<Record<string, PublishedKey>>('keys.json')).flatMap(formsOf),
  ]

  for (const text of new Set(texts)) {
    await t.rejects(build(t, { secret: text }), { code: 'ACCOUNTS_OPTIONS_INVALID' }, text.slice(0, 60))
  }
})

t.test('the published key of 32 zero bytes is refused, since it is the empty key', { skip }, async (t) => {
  const { 'wycheproof:hs256-key': key } = read<Record<string, PublishedKey>>('keys.json')
  const bytes = Buffer.from(key!.secret_b64url!, 'base64url')

  t.strictSame(bytes, Buffer.alloc(32))
  await t.rejects(build(t, { secret: bytes }), { code: 'ACCOUNTS_OPTIONS_INVALID' })
})
