import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../lib/index.ts'
import { readSettings } from '../../lib/settings.ts'
import { createKeyring } from '../../lib/tokens/keyring.ts'
import { createTickets, factorsChangeOf, type TicketUse } from '../../lib/tokens/ticket.ts'
import { build, decode, encode, mint, secret, ticketKey } from '../support/build.ts'
import { Fastify } from '../support/fastify.ts'
import { ecdsa, signers } from './signer.ts'
import { openTickets } from './tickets.ts'

const start = 1_800_000_000_000
const user = { id: '0197a2c4-0000-7000-8000-000000000001', epoch: 3, factorsChangedAt: new Date(start - 86_400_000 + 7) }
const sid = '0197a2c4-0000-7000-8000-000000000002'
const wanted = { use: 'login', amr: ['pwd'], user } as const
const uses: TicketUse[] = ['login', 'reauthenticate', 'enrol']

const invalid = { code: 'ACCOUNTS_TOKEN_INVALID', statusCode: 401 }
const expired = { code: 'ACCOUNTS_TOKEN_EXPIRED', statusCode: 401 }

/** Stops the clock; `tick` moves it. */
function stopClock (t: Test, now = start): typeof mock.timers {
  mock.timers.enable({ apis: ['Date'], now })
  t.teardown(() => mock.timers.reset())
  return mock.timers
}

t.test('a ticket says what a sign-in has brought so far, for as long as it is good', async (t) => {
  stopClock(t)
  const { issue, verify } = await openTickets(t, { audience: ['shop', 'other'], issuer: 'me', headerFields: { v: 1 } })
  const { ticket, expiresIn } = issue(wanted)
  t.equal(expiresIn, 300)
  t.match(decode(ticket).header, { alg: 'HS256', typ: 'ticket+jwt', kid: /^[\w-]{16}$/, v: 1 })
  const claims = verify(ticket, ['login'])
  t.match(claims.jti, /^[\w-]{22}$/)
  t.strictSame(claims, {
    iss: 'me',
    aud: 'shop/ticket',
    sub: user.id,
    ver: 3,
    fca: start - 86_400_000 + 7,
    use: 'login',
    amr: ['pwd'],
    jti: claims.jti,
    iat: start / 1000,
    exp: start / 1000 + 300,
  })
  t.equal(claims.fca, factorsChangeOf(user))
  t.not(decode(issue(wanted).ticket).payload.jti, claims.jti)
})

t.test('it carries what was asked for in the first step, and 0 for factors that never changed', async (t) => {
  const { issue, verify } = await openTickets(t)
  const more = { sid, transport: 'cookie', remember: false } as const
  const { ticket } = issue({ ...wanted, user: { ...user, factorsChangedAt: null }, use: 'reauthenticate', ...more })
  t.match(verify(ticket, uses), { ...more, fca: 0 })
  const { ticket: plain } = issue({ ...wanted, sid: undefined, transport: undefined, remember: undefined })
  t.same(Object.keys(verify(plain, uses)).filter((name) => name in more), [])
})

t.test('a ticket is over to the second, and one that comes from the future is none', async (t) => {
  const clock = stopClock(t)
  const { issue, verify } = await openTickets(t, { leeway: '5m' })
  const { ticket } = issue(wanted)
  clock.setTime(start + 299_999)
  t.equal(verify(ticket, uses).sub, user.id)
  clock.setTime(start + 300_000)
  t.throws(() => verify(ticket, uses), expired)
  clock.setTime(start - 60_000)
  t.equal(verify(ticket, uses).sub, user.id, 'the clock of who gave it may be ahead')
  clock.setTime(start - 61_000)
  t.throws(() => verify(ticket, uses), expired)
})

t.test('a ticket opens what it is for, and nothing else', async (t) => {
  const { issue, verify } = await openTickets(t)
  for (const use of uses) {
    const { ticket } = issue({ ...wanted, use })
    for (const asked of uses) {
      if (asked === use) t.equal(verify(ticket, [asked]).use, use)
      else t.throws(() => verify(ticket, [asked]), invalid)
    }
    t.throws(() => verify(ticket, uses.filter((other) => other !== use)), invalid)
    t.throws(() => verify(ticket, []), invalid)
  }
})

t.test('claims that we could not have written are refused', async (t) => {
  stopClock(t)
  const { issue, verify } = await openTickets(t)
  const { header, payload } = decode(issue({ ...wanted, sid, transport: 'body', remember: true }).ticket)
  const sealed = (change: object) => mint(header, { ...payload, ...change }, ticketKey)
  t.equal(verify(sealed({}), uses).sid, sid)
  t.equal(verify(sealed({ sid: undefined, transport: undefined, remember: undefined }), uses).sub, user.id)

  const wrong: Record<string, unknown[]> = {
    iss: ['other', undefined, null, 1, ['fastify-jwt-accounts']],
    aud: ['fastify-jwt-accounts', 'fastify-jwt-accounts/refresh', '/ticket', ['fastify-jwt-accounts/ticket'], undefined],
    sub: ['ada', '', undefined, null, 1, {}, { $ne: null }, user.id.toUpperCase()],
    ver: [-1, 1.5, '3', undefined, 2 ** 31],
    fca: [-1, 1.5, '0', undefined, null],
    use: ['Login', '', undefined, ['login'], 'register'],
    amr: ['pwd', undefined, [1], [''], ['x'.repeat(17)], Array(9).fill('pwd')],
    jti: ['', 'x'.repeat(21), 'x'.repeat(23), undefined, 1],
    iat: ['1', undefined, -1, start],
    exp: ['1', undefined, null, start / 1000 - 1, start / 1000 + 301, start],
    sid: ['', 'x', null, 1],
    transport: ['both', '', null, 1],
    remember: ['true', null, 1],
    gen: [-1, '0', 1.5],
    nbf: [0],
    more: [true],
  }
  for (const [claim, values] of Object.entries(wrong)) {
    for (const value of values) {
      t.throws(() => verify(sealed({ [claim]: value }), uses), invalid, `${claim}: ${JSON.stringify(value)}`)
    }
  }
  for (const claims of [null, [], 'text', 1]) t.throws(() => verify(mint(header, claims, ticketKey), uses), invalid)
})

t.test('headers and signatures that we could not have written are refused', async (t) => {
  const { issue, verify } = await openTickets(t)
  const { ticket } = issue(wanted)
  const { header, payload } = decode(ticket)
  for (const typ of ['ticket+JWT', 'application/ticket+jwt']) {
    t.equal(verify(mint({ ...header, typ }, payload, ticketKey), uses).sub, user.id)
  }
  const changes = [
    { typ: 'at+jwt' }, { typ: 'rt+jwt' }, { typ: 'JWT' }, { typ: undefined }, { typ: 1 }, { kid: undefined },
    { kid: 'x' }, { kid: 1 }, { alg: 'none' }, { alg: 'HS384' }, { alg: 'ES256' }, { crit: ['exp'] }, { b64: true },
  ]
  for (const change of changes) {
    t.throws(() => verify(mint({ ...header, ...change }, payload, ticketKey), uses), invalid, JSON.stringify(change))
  }
  const [head, body] = ticket.split('.')
  const texts = [
    '', '..', 'x', `${head}.${body}.`, `${head}.${body}`, `${ticket}x`, ` ${ticket}`, `${head}.${encode('{')}.x`,
    mint(header, payload, secret), mint(header, payload, 'x'.repeat(32)), mint(encode('['), payload, ticketKey),
    mint(header, Buffer.from([0x7b, 0xff, 0x7d]), ticketKey), 'x'.repeat(20_000),
  ]
  for (const text of texts) t.throws(() => verify(text, uses), invalid, text.slice(0, 60))
})

for (const [name, option] of Object.entries({ HS256: secret, ES256: signers.ES256!.option! })) {
  t.test(`with ${name}, no token of a session is a ticket, and no ticket is a token`, async (t) => {
    const { app, signUp, post, get } = await build(t, {
      secret: option,
      routes: { revoke: true },
      introspection: { clients: [{ id: 'shop', secret: 'the secret of a client that asks' }] },
    })
    const { access_token: access, refresh_token: refresh } = await signUp()
    const { issue, verify } = await openTickets(t, { secret: option })
    for (const token of [access, refresh]) t.throws(() => verify(token, uses), invalid)

    const { sub, sid, ver } = decode(access).payload
    const holder = { id: sub, epoch: ver, factorsChangedAt: null }
    for (const use of uses) {
      const { ticket } = issue({ use, amr: ['pwd'], user: holder, sid })
      await t.rejects(app.accounts.verify(ticket), invalid)
      t.match((await get('/guarded', ticket)).json(), invalid)
      t.match((await get('/strict', ticket)).json(), invalid)
      t.match((await post('/with-refresh', undefined, ticket)).json(), invalid)
      t.match((await post('/auth/refresh', { refresh_token: ticket })).json(), invalid)
      t.equal((await post('/auth/logout', { refresh_token: ticket })).statusCode, 401)
      t.equal((await post('/auth/logout', undefined, ticket)).statusCode, 401)
      const unknown = await post('/auth/revoke', { token: 'unknown' })
      const revoked = await post('/auth/revoke', { token: ticket })
      t.same([revoked.statusCode, revoked.body], [unknown.statusCode, unknown.body])
      const asked = await post('/auth/introspect', {
        token: ticket, client_id: 'shop', client_secret: 'the secret of a client that asks',
      })
      t.same(asked.json(), { active: false })
    }
    t.equal((await get('/guarded', access)).statusCode, 200)
    t.equal((await post('/auth/refresh', { refresh_token: refresh })).statusCode, 200)
  })
}

t.test('what has the key of tickets writes no other token, and their keys write no ticket', async (t) => {
  const { get, signUp } = await build(t)
  const { access_token: access } = await signUp()
  const { header, payload } = decode(access)
  t.equal((await get('/guarded', mint(header, payload))).statusCode, 200)
  t.equal((await get('/guarded', mint(header, payload, ticketKey))).statusCode, 401)

  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pair = { secret: { private: privateKey } }
  const { issue, verify } = await openTickets(t, pair)
  const { ticket } = issue(wanted)
  const signed = (change: object) => {
    const { header, payload } = decode(ticket)
    const input = `${encode({ ...header, ...change })}.${encode(payload)}`
    return `${input}.${ecdsa(privateKey)(input).toString('base64url')}`
  }
  t.equal(verify(signed({}), uses).sub, user.id)
  t.throws(() => verify(signed({ typ: 'at+jwt' }), uses), invalid, 'one key signs all kinds, and typ tells them apart')
})

t.test('a key that is replaced still opens its tickets, and one that is gone opens none', async (t) => {
  const older = [...secret].reverse().join('')
  const { ticket } = (await openTickets(t, { secret: older })).issue(wanted)
  t.equal((await openTickets(t, { secret: [secret, older] })).verify(ticket, uses).sub, user.id)
  const { verify } = await openTickets(t)
  t.throws(() => verify(ticket, uses), invalid)
})

t.test('public keys alone verify tickets and issue none, and all features share the keys', async (t) => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const { ticket } = (await openTickets(t, { secret: { private: privateKey } })).issue(wanted)
  const app = Fastify()
  t.teardown(() => app.close())
  const options: AccountsOptions = { secret: { public: createPublicKey(privateKey) } }
  const settings = readSettings(options, {}, app.log)
  const { openTickets: opened } = await createKeyring(app, settings.keys, {})
  const keys = await opened()
  t.equal(await opened(), keys)
  t.equal(keys.signing, undefined)
  t.equal(createTickets(keys, settings, 300).verify(ticket, uses).sub, user.id)
})
