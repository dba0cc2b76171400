import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { client, secret } from './build.ts'

const root = join(import.meta.dirname, '..', '..')

/** What a snippet of the documents is run with. */
interface Surroundings {
  /** The heading that it stands under; without one it is the first of the page. */
  under?: string
  env?: Record<string, string>
  /** What else it makes that is asked for. */
  names?: string[]
}

export function snippetOf (page: string, under?: string): string {
  const text = readFileSync(join(root, page), 'utf8')
  const section = under === undefined ? text : text.split(/^##+ /m).find((part) => part.startsWith(`${under}\n`))!
  return /```ts\n([^]+?)```/.exec(section)![1]!
}

let runs = 0

/** Runs the TypeScript of a page as it stands, and gives its app and what else is asked for. */
export async function run (t: Test, page: string, { under, env = {}, names = [] }: Surroundings = {}) {
  const source = snippetOf(page, under).replace("'fastify-jwt-accounts'", `'${join(root, 'lib', 'index.ts')}'`)
  // Each time another file: what was imported once is not run again.
  const file = join(t.testdir({}), `app-${++runs}.ts`)
  writeFileSync(file, `${source}\nexport { ${['app', ...names].join()} }\n`)

  const before = { ...process.env }
  Object.assign(process.env, { JWT_SECRET_KEY: secret, ACCOUNTS_DATABASE_URL: ':memory:', ...env })
  const module = await import(file).finally(() => { process.env = before })
  t.teardown(() => module.app.close())
  return { module, app: module.app as FastifyInstance, ...client(module.app as FastifyInstance) }
}
