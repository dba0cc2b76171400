// Writes what editors and docs say that is made of the code. With --check it fails where that is not current.
//
// The interfaces of options are made of their schemas, the types of the client of those of the routes. In docs/, a
// comment before each part says what it is made of:
//
// | part                  | made of                                                                                  |
// | --------------------- | ---------------------------------------------------------------------------------------- |
// | every option          | OptionsSchema: what an option does, with a link where another page tells all of it       |
// | the options a, b      | the same, whole: docs/<feature>.md has those of lib/features/<feature>/options.ts        |
// | the options of guards | GuardOptionsSchema                                                                       |
// | every route           | the routes of an app that has all of them on, with their summaries and switches          |
// | every operation       | the same routes, by the names that they have in the OpenAPI document                     |
// | every service         | `app.accounts` of that app                                                               |
// | every error           | lib/errors.ts                                                                            |
// | every hook            | the option `hooks`                                                                       |
// | every channel         | events.ts of each folder                                                                 |
// | every counter         | `app.accounts.counters`, and what events.ts of each folder says of them                  |
//
// The page that an index leads to is the one whose section "Routes", "Services", "Errors", "Events" or "Hooks" has the
// name in the first column of a table, or at the beginning of an entry as a call. So a feature that has a page is in
// every index without another edit.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GuardOptionsSchema } from '../lib/guards/options.ts'
import { OptionsSchema } from '../lib/options.ts'
import { clientRoutes } from './generate/client-routes.ts'
import { filesOf, read, root } from './generate/files.ts'
import {
  channelIndex, counterIndex, errorIndex, hookIndex, operationIndex, routeIndex, serviceIndex,
} from './generate/indexes.ts'
import { interfaceOf } from './generate/interfaces.ts'
import { allOptions, optionsOf, tableWithRest } from './generate/options.ts'
import { block, optionsIn, pageOfOption } from './generate/places.ts'
import { wholeApp } from './generate/whole-app.ts'

const { routes, services, counters } = await wholeApp()

const parts: Record<string, () => string> = {
  'every option': () => allOptions(OptionsSchema, pageOfOption),
  'the options of guards': () => tableWithRest(GuardOptionsSchema.properties),
  'every route': () => routeIndex(routes),
  'every operation': () => operationIndex(routes),
  'every service': () => serviceIndex(services),
  'every error': errorIndex,
  'every hook': () => hookIndex(OptionsSchema),
  'every channel': channelIndex,
  'every counter': () => counterIndex(counters),
}

const made: Record<string, string> = {
  'types/options.ts': interfaceOf('AccountsOptions', OptionsSchema, 'types', 'app.register(accounts, options)'),
  'lib/guards/guard-options.ts':
    interfaceOf('GuardOptions', GuardOptionsSchema, 'lib/guards', 'app.accounts.guard(options)'),
  'lib/client/routes.ts': await clientRoutes(),
  ...Object.fromEntries(filesOf('docs/*.md').map((file) => [file, pageOf(read(file))])),
}

const stale = Object.entries(made).filter(([file, text]) => read(file) !== text)
for (const [file, text] of stale) {
  if (!process.argv.includes('--check')) {
    writeFileSync(join(root, file), text)
    continue
  }
  console.error(`${file} is not what the code says: npm run generate`)
  process.exitCode = 1
}

/** The page with each of its parts made anew. */
function pageOf (text: string): string {
  return text.replace(block, (_, what: string) =>
    `\n${parts[what]?.() ?? optionsOf(OptionsSchema, optionsIn(what))}\n\n`)
}
