// With more rounds in trials.
import fc from 'fast-check'
import t from 'tap'
import { identifierKey, readEmail, readUsername } from '../../../lib/users/identifiers.ts'
import { build } from '../../support/build.ts'
import { rounds } from '../../support/rounds.ts'
import { texts } from './values.ts'

const numRuns = rounds(600, 30_000)

const { app, get, signUp } = await build(t, { transport: 'both' })
const { access_token: token } = await signUp()

/** A text with a good token somewhere in it. */
const around = fc.oneof(
  texts,
  fc.tuple(texts, texts).map(([before, after]) => `${before}${token}${after}`),
  fc.tuple(texts, fc.nat(token.length)).map(([text, at]) => token.slice(0, at) + text + token.slice(at))
)
const asHeader = (text: string) => text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '').slice(0, 12_000)

/** What refuses says why, and lets nobody in. */
async function ask (headers: Record<string, string>) {
  const { statusCode, body } = await app.inject({ url: '/guarded', headers })
  if (![200, 400, 401].includes(statusCode)) throw new Error(`${statusCode} ${body}`)
  if (statusCode !== 200 && !/"code":"ACCOUNTS_/.test(body)) throw new Error(body)
  return statusCode === 200
}

t.test('an Authorization header lets in with exactly its scheme, one or more spaces and one good token', async (t) => {
  await fc.assert(fc.asyncProperty(fc.oneof(around, around.map((text) => `Bearer ${text}`)), async (text) => {
    const authorization = asHeader(text)
    const isRight = /^bearer /i.test(authorization) && authorization.slice(7).replace(/^ +/, '') === token
    return await ask({ authorization }) === isRight
  }), { numRuns })
  t.equal(await ask({ authorization: `bEaReR ${token}` }), true)
})

t.test(
  'a Cookie header lets in by the first cookie of exactly that name, and is no fault of the server otherwise',
  async (t) => {
    const pairs = fc.array(
      fc.tuple(
        fc.oneof(fc.constantFrom('__Host-access', '__host-access', '__Host-access '), texts),
        fc.oneof(fc.constant(token), around)
      ),
      { maxLength: 5 }
    )
    await fc.assert(
      fc.asyncProperty(pairs, async (cookies) => {
        const cookie = asHeader(cookies.map(([name, value]) => `${name}=${value}`).join('; '))
        // Blanks around a name and a value do not count (RFC 6265 §5.2), nor do quotes.
        const [, first] =
          cookie
            .split(';')
            .map((pair) => pair.split(/=(.*)/s).map((part) => part.trim()))
            .find(([name]) => name === '__Host-access') ?? []
        if ((await ask({ cookie })) !== (first?.replace(/^"(.*)"$/, '$1') === token)) throw new Error(cookie)
      }),
      { numRuns }
    )
    t.equal(await ask({ cookie: `a=b; __Host-access=${token}; __Host-access=x` }), true)
    t.equal(await ask({ cookie: `__Host-access=x; __Host-access=${token}` }), false)
  }
)

t.test('a name that is taken is stored in one spelling, which is found by every other', (t) => {
  fc.assert(fc.property(texts, (text) => {
    for (const read of [readUsername, readEmail]) {
      const stored = refusedOr(() => read(text))
      if (stored === undefined) continue
      t.equal(read(stored), stored)
      t.equal(identifierKey(stored), identifierKey(text))
      t.equal(identifierKey(stored.toUpperCase().toLowerCase()), identifierKey(text))
    }
  }), { numRuns })
  t.end()
})

t.test('whatever is typed as a name, the answer of a login is a refusal', async (t) => {
  await fc.assert(fc.asyncProperty(texts, async (username) => {
    const { statusCode } = await app.inject({
      method: 'POST',
      url: '/auth/login',
      payload: { username, password: 'none of theirs' },
    })
    return [400, 401].includes(statusCode)
  }), { numRuns: numRuns / 4 })
  t.equal((await get('/guarded', token)).statusCode, 200)
})

/** What comes of it, or nothing where it is refused as bad input. */
function refusedOr (read: () => string): string | undefined {
  try {
    return read()
  } catch (error) {
    if ((error as { code: string }).code !== 'ACCOUNTS_INPUT_INVALID') throw error
  }
}
