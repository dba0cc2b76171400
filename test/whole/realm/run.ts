// Evaluates a bundle as Jest does: in a context of its own, which has the globals that Node adds and not those of the
// language.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants, createContext, runInContext } from 'node:vm'

const [, , file] = process.argv
const context = createContext({})
const own = new Set<string>(runInContext('Object.getOwnPropertyNames(globalThis)', context))
for (const name of Object.getOwnPropertyNames(globalThis)) {
  if (!own.has(name)) Object.defineProperty(context, name, { get: () => globalThis[name as keyof typeof globalThis] })
}
// Buffers are not to be taken apart: https://github.com/jestjs/jest/issues/7780
Object.assign(context, { Uint8Array, ArrayBuffer })

const module = { exports: {} as Record<string, () => Promise<unknown>> }
const wrapped = `(function (module, exports, require) {${readFileSync(file!, 'utf8')}\n})`
runInContext(wrapped, context, { filename: file!, importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER })(
  module, module.exports, createRequire(file!))
const { visit, visitWithForeignValues } = module.exports
console.log(JSON.stringify({ stops: await visit!(), foreign: await visitWithForeignValues!() }))
