import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { parseCookie } from 'cookie'
import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { build } from '../support/build.ts'
import { families, forge, type Forgery, type Pair } from './forgery.ts'
import { otherSpellings, signers, type Kind, type Signer } from './signer.ts'

type Client = Awaited<ReturnType<typeof build>>

/** A place that a token may be sent to, and the kinds that are welcome there. */
interface Place {
  name: string
  kinds: Kind[]
  send: (client: Client, token: string) => Promise<LightMyRequestResponse>
}

const ownSite = { 'sec-fetch-site': 'same-origin' }
const inBody = (url: string) => ({ post }: Client, token: string) => post(url, { refresh_token: token })
const inHeader = (url: string) => ({ post }: Client, token: string) => post(url, undefined, token)
const inCookie = (method: 'GET' | 'POST', url: string, name: string) => ({ app }: Client, token: string) =>
  app.inject({ method, url, headers: { cookie: `${name}=${token}`, ...ownSite } })

const guarded: Place[] = [
  { name: 'GET /auth/me (header)', kinds: ['access'], send: ({ get }, token) => get('/auth/me', token) },
  { name: 'GET /guarded (cookie)', kinds: ['access'], send: inCookie('GET', '/guarded', '__Host-access') },
  { name: 'POST /auth/refresh (header)', kinds: ['refresh'], send: inHeader('/auth/refresh') },
  {
    name: 'POST /auth/refresh (cookie)',
    kinds: ['refresh'],
    send: inCookie('POST', '/auth/refresh', '__Secure-refresh'),
  },
]

const others: Place[] = [
  { name: 'POST /auth/refresh (body)', kinds: ['refresh'], send: inBody('/auth/refresh') },
  { name: 'POST /auth/logout (header)', kinds: ['access', 'refresh'], send: inHeader('/auth/logout') },
  { name: 'POST /with-refresh', kinds: ['refresh'], send: inBody('/with-refresh') },
]

/** How a token that is no good may be refused: everything else is a fault. */
const refusals: Record<string, [status: number, challenge?: string]> = {
  ACCOUNTS_HEADER_MALFORMED: [400, 'invalid_request'],
  ACCOUNTS_TOKEN_MISSING: [401],
  ACCOUNTS_TOKEN_INVALID: [401, 'invalid_token'],
  ACCOUNTS_TOKEN_WRONG_TYPE: [401, 'invalid_token'],
}

function isRefusal (answer: LightMyRequestResponse, token: string): boolean {
  const { code } = answer.statusCode < 400 ? { code: 'none' } : answer.json()
  const [status, error] = refusals[code] ?? []
  const challenge = String(answer.headers['www-authenticate'])
  const isReflected = token.length > 20 && (answer.payload + challenge).includes(token)

  return (
    answer.statusCode === status &&
    challenge.startsWith(`Bearer realm="accounts"${error ? `, error="${error}"` : ''}`) &&
    !isReflected
  )
}

async function faultsOf (client: Client, place: Place, forged: Forgery[]): Promise<string[]> {
  const faults: string[] = []
  for (let at = 0; at < forged.length; at += 50) {
    await Promise.all(forged.slice(at, at + 50).map(async ({ name, token }) => {
      const answer = await place.send(client, token)
      if (!isRefusal(answer, token)) faults.push(`${name} → ${answer.statusCode} ${answer.payload}`)
    }))
  }
  return faults
}

/** A server that takes tokens from headers and cookies and notes whom it lets in. */
async function serve (t: Test, secret: Signer['option']) {
  const client = await build(t, { secret: secret!, locations: ['header', 'cookie'], refresh: { window: 0 } })
  const seen: unknown[] = []
  client.app.addHook('onResponse', async ({ user, auth }) => { if (user || auth) seen.push({ user, auth }) })
  return { ...client, seen }
}

/** Somebody on this machine who hangs up on every caller, and counts them. */
async function countCalls (t: Test) {
  let calls = 0
  const listener = createServer((socket) => {
    calls++
    socket.destroy()
  })
  t.teardown(() => listener.close())
  await once(listener.listen(0, '127.0.0.1'), 'listening')
  const { port } = listener.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    /** All of them, this one included. */
    async callsInAll () {
      await once(connect(port, '127.0.0.1').resume(), 'close')
      return calls
    },
  }
}

/** As many as there are meant to be, each of them once, and no real token among them. */
function requireCorpus (t: Test, forged: Record<Kind, Forgery[]>, { access, refresh }: Pair): void {
  const real = [access, refresh].flatMap((token) => [token, ...otherSpellings(token)])
  for (const [kind, forgeries] of Object.entries(forged)) {
    t.ok(new Set(forgeries.map(({ token }) => token)).size >= 400, `${forgeries.length} forgeries of ${kind} tokens`)
    t.equal(new Set(forgeries.map(({ name }) => name)).size, forgeries.length, 'every name stands once')
    t.strictSame(forgeries.filter(({ token }) => real.includes(token)), [], 'none is a real token')
  }
}

/**
 * Some texts are a spelling of the real token: in a cookie, spaces around a value and percent signs (RFC 6265 §5.2); in
 * the header, spaces before it, of which one or more stand between the scheme and the token (RFC 9110 §11.4).
 */
function isOther ({ token }: Forgery, { access, refresh }: Pair, { name }: Place): boolean {
  const read = name.endsWith('(cookie)')
    ? parseCookie(`x=${token}`).x
    : name.endsWith('(header)')
      ? token.replace(/^ +/, '')
      : token
  return ![access, refresh].includes(String(read))
}

/** Nobody reads the stacks of twenty thousand refusals, and they take their time. */
Error.stackTraceLimit = 0

/** What is looked at once the signature is right, alike for all algorithms. */
const afterSignature = ['type of claim', 'party', 'id']
/** What no place looks at before the token is out of it. */
const aboutText = ['crit', 'typ', 'header', 'base64', 'payload', 'missing claim', 'time', 'duplicate claim', 'bit flip']

/** What is sent by header: with HMAC everything goes everywhere; RSA takes its time to sign so many. */
const leftOut: Record<string, string[]> = {
  RS256: [...afterSignature, ...aboutText],
  PS256: [...afterSignature, ...aboutText],
  ES256: afterSignature,
}

for (const signer of Object.values(signers)) {
  t.test(`a server with ${signer.algorithm} lets no forged token in, and calls nobody`, async (t) => {
    const listener = await countCalls(t)
    const client = await serve(t, signer.option)
    const pair = {
      ...(await client.signUp().then(({ access_token: access, refresh_token: refresh }) => ({ access, refresh }))),
      signer,
    }
    const chosen = families.filter((family) => !leftOut[signer.algorithm]?.includes(family))
    const [access, refresh] = (['access', 'refresh'] as const).map((kind) =>
      chosen.flatMap((family) => forge(family, kind, pair, listener.url))
    )
    const forged = { access: access!, refresh: refresh! }
    requireCorpus(t, forged, pair)

    const isFirst = signer === signers.HS256
    for (const place of isFirst ? [...guarded, ...others] : guarded) {
      const everything = isFirst || place.name.endsWith('(header)')
      const sent = place.kinds
        .flatMap((kind) => forged[kind])
        .filter(
          ({ name }) =>
            everything || ![...afterSignature, ...aboutText].some((family) => name.startsWith(`${family}:`))
        )
        .filter((forgery) => isOther(forgery, pair, place))
      t.strictSame(await faultsOf(client, place, sent), [], `${place.name}, ${sent.length} forgeries`)
    }
    t.strictSame(client.seen, [], 'nobody was let in')
    t.equal(await listener.callsInAll(), 1, 'the call of this test itself')

    t.equal((await client.get('/guarded', pair.access)).statusCode, 200, 'the access token stays good')
    t.equal((await client.refresh(pair.refresh)).statusCode, 200, 'the refresh token stays good')
    t.equal(client.seen.length, 1, 'the real token was noted')
  })
}
