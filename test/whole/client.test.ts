// In a process of its own, for 10 s: it waits for compilers.
import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { cpSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import openapiTypescript, { astToString } from 'openapi-typescript'
import t, { type Test } from 'tap'
import { documentOf } from '../support/documents.ts'
import { startExample } from './example/run.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')

/** The running example, and the document that it serves. */
async function example (t: Test) {
  const { api, server } = await startExample(t.testdir({}))
  t.teardown(() => server.kill())
  return { api, document: await (await fetch(`${api}/docs/json`)).json() }
}

/** What is no fault of the document, by rule, with the places where it is none. */
const excused: [rule: string, place: RegExp, reason: string][] = [
  ['info-license', /^#\/info/, 'the license is for the host to name'],
  ['no-empty-servers', /^#\//, 'where it runs is for the host to say'],
  ['operation-summary', /^#\/paths\/~1(?!auth~1)/, "a route of the host's own"],
  ['operation-operationId', /^#\/paths\/~1(?!auth~1)/, "a route of the host's own"],
  ['operation-4xx-response', /jwks\.json/, 'public keys are refused to nobody'],
]

const needed = new Set<typeof excused[number]>()

/** What the recommended rules of Redocly find, beside that. */
async function faultsOf (document: object): Promise<string[]> {
  const found = await lintFromString({
    source: JSON.stringify(document),
    config: await createConfig({ extends: ['recommended'] }),
  })
  const faults = found.map(({ ruleId, message, location: [place] }) => ({
    ruleId,
    message,
    pointer: place!.pointer ?? '',
  }))
  const isExcused = ({ ruleId, pointer }: typeof faults[number]) => {
    const excuse = excused.find(([rule, place]) => rule === ruleId && place.test(pointer))
    if (excuse) needed.add(excuse)
    return excuse
  }
  return faults
    .filter((fault) => !isExcused(fault))
    .map(({ ruleId, message, pointer }) => `${ruleId} ${pointer}: ${message}`)
}

t.test('a linter finds nothing in the document of the example', async (t) => {
  const { document } = await example(t)
  t.strictSame(await faultsOf(document), [])
  t.ok((await faultsOf({ ...document, components: {} })).length > 10, 'it would find something')
})

t.test('nor in one with everything, for OpenAPI 3.0 and 3.1', async (t) => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const everything = {
    secret: { private: privateKey },
    routes: { users: true, revoke: true, invitations: true, emailLogin: true, events: true },
    events: { store: true },
    mail: { links: { invite: '/invitation', login: '/login' } },
    closing: { grace: '7d' as const },
    introspection: { clients: [{ id: 'shop', secret: 'x'.repeat(32) }] },
  }
  for (const openapi of ['3.0.3', '3.1.0']) {
    for (const transport of ['body', 'both', 'cookie'] as const) {
      t.strictSame(
        await faultsOf(await documentOf(t, { ...everything, transport }, { openapi })),
        [],
        `${openapi} ${transport}`
      )
    }
  }
  t.strictSame(excused.filter((excuse) => !needed.has(excuse)), [], 'no excuse without a need')
})

t.test('a client that is made from the document of the example compiles, and goes all the way', async (t) => {
  const { api, document } = await example(t)
  const folder = t.testdir({ 'package.json': '{"type":"module"}' })
  cpSync(join(root, 'test', 'whole', 'client'), folder, { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'api.ts'), astToString(await openapiTypescript(document)))
  const flags = [
    '--strict',
    '--noUncheckedIndexedAccess',
    '--exactOptionalPropertyTypes',
    '--noEmit',
    '--skipLibCheck',
    '--allowImportingTsExtensions',
    '--erasableSyntaxOnly',
    '--target',
    'es2024',
    '--module',
    'nodenext',
    '--lib',
    'es2024,dom,dom.iterable',
    '--types',
    'node',
  ]
  const compiled = await run(
    process.execPath,
    [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), ...flags, 'tour.ts'],
    { cwd: folder }
  ).catch((error) => error)
  t.equal(compiled.stdout, '')

  const { tour } = (await import(join(folder, 'tour.ts'))) as {
    tour: (api: string, username: string) => Promise<string[]>
  }
  const [registered, taken, refused, sessions, ...rest] = await tour(api, 'ada')
  t.strictSame([registered, taken, refused], ['registered ada', 'taken', 'ACCOUNTS_CREDENTIALS_INVALID'])
  t.match(sessions, /^2 sessions, this one from (::1|127\.0\.0\.1|::ffff:127\.0\.0\.1)$/)
  t.strictSame(rest, [
    '200', '204', 'undefined', '10 recovery codes', 'undefined', 'totp or recovery within 300 s', '204',
    'ACCOUNTS_TOKEN_REVOKED',
  ])
})
