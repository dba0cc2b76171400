import t from 'tap'
import { build, decode, mint, refreshKey, secret } from '../support/build.ts'

/** Values that parsers, databases and languages stumble over, long enough for an id. */
const awkward: unknown[] = [
  '\0'.repeat(16),
  'a\0'.repeat(10),
  '\ud800'.repeat(16),
  '\u{1f600}'.repeat(16),
  "' or 1=1 -- aaaaaa",
  '%'.repeat(20),
  ' '.repeat(20),
  '\r\n'.repeat(10),
  '\u202e'.repeat(20),
  'x'.repeat(64),
  '',
  -0,
  0.5,
  1e-7,
  2 ** 31,
  2 ** 53,
  253402300799,
  null,
  true,
  [],
  {},
  [null],
  { toString: 1 },
  { toJSON: 1 },
  { then: 1 },
]

t.test('no value of a claim or a field is a fault of the server, in a token that is really signed', async (t) => {
  const shop = { id: 'shop', secret: 'the secret of a client that asks' }
  const { get, post, refresh, signUp } = await build(t, {
    introspection: { clients: [shop] },
    routes: { revoke: true },
  })
  const pair = await signUp()
  const doors: Record<string, (token: string) => Promise<{ statusCode: number }>> = {
    guard: (token) => get('/guarded', token),
    refresh,
    introspect: (token) => post('/auth/introspect', { token, client_id: shop.id, client_secret: shop.secret }),
    revoke: (token) => post('/auth/revoke', { token }),
  }

  for (const [token, key] of [[pair.access_token, secret], [pair.refresh_token, refreshKey]] as const) {
    const { header, payload } = decode(token)
    const tokens = awkward.flatMap((value) =>
      [
        ...Object.keys(payload)
          .concat('nbf', 'then', 'constructor')
          .map((claim) => [claim, mint(header, { ...payload, [claim]: value }, key)] as const),
        ...['alg', 'typ', 'kid', 'cty', 'zip', 'then'].map(
          (field) => [field, mint({ ...header, [field]: value }, payload, key)] as const
        ),
      ].map(([place, forged]) => ({ what: `${header.typ}, ${place}: ${JSON.stringify(value)}`, forged }))
    )
    for (const [door, send] of Object.entries(doors)) {
      const faults: string[] = []
      for (const { what, forged } of tokens) {
        const { statusCode } = await send(forged)
        if (statusCode >= 500) faults.push(`${what} → ${statusCode}`)
      }
      t.strictSame(faults, [], `${header.typ} at ${door}`)
    }
  }
})
