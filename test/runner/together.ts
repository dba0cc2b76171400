// Runs test files in one process, one after the other, each as one test that bears its name.
import { rmSync, writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import t, { type Test } from 'tap'

/** What each file gets when it imports `tap`: the test that stands for it. */
const tests = new Map<string, Test>()

registerHooks({
  resolve (specifier, context, next) {
    if (specifier !== 'tap' || !tests.has(context.parentURL!)) return next(specifier, context)
    return { url: new URL(`own-tap.ts?${context.parentURL}`, import.meta.url).href, shortCircuit: true }
  },
})

export function testOf (ownTap: string): Test {
  return tests.get(new URL(ownTap).search.slice(1))!
}

/** Which files are not through stands in a file of its own meanwhile: what ends a process cannot say so any more. */
export async function together (files: string[], leftFile: string): Promise<void> {
  t.plan(2 * files.length)
  for (const [index, file] of files.entries()) {
    writeFileSync(leftFile, files.slice(index).join('\n'))
    const before = stateOf()
    await t.test(file, async (t) => {
      const { href } = pathToFileURL(file)
      tests.set(href, t)
      await import(href)
    })
    if (t.ended) return
    t.same(differences(before, stateOf()), [], `${file} leaves the process as it found it`)
  }
  rmSync(leftFile)
}

/** What the files that follow would notice, if a test did not put it back. */
function stateOf (): Record<string, unknown> {
  const { setTimeout, setInterval, setImmediate, fetch } = globalThis
  // The ORM notes there, when it is imported, whether the terminal has colours.
  const { MIKRO_ORM_COLORS: _, ...environment } = process.env
  // Packages take away at the exit what they have made.
  const events = process.eventNames().filter((name) => name !== 'exit')
  return {
    ...environment,
    ...Object.fromEntries(events.map((name) => [`listeners of ${String(name)}`, process.listenerCount(name)])),
    'the directory': process.cwd(),
    'the version of Node': process.versions.node,
    'the clocks': [Date, Date.now, performance.now, setTimeout, setInterval, setImmediate],
    fetch,
  }
}

function differences (before: Record<string, unknown>, after: Record<string, unknown>): string[] {
  return Object.keys({ ...before, ...after }).filter((what) => !isDeepStrictEqual(before[what], after[what])).toSorted()
}
