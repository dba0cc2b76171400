import { mock } from 'node:test'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { buildOnFile } from '../build.ts'
import { lifetimes } from './commands.ts'
import { createUser, pass, remember } from './plugin.ts'
import { coalesced } from './schemes/coalesced.ts'
import { policy } from './schemes/policy.ts'
import type { Policy } from './schemes/scheme.ts'

const day = 86400

/** The plugin with these rules, its clock in our hands from the boot on. */
async function start (t: Test, { windowSeconds: window, replay, expiresInSeconds: expiresIn, maxAgeSeconds: maxAge }: Policy) {
  const built = await buildOnFile(t, { refresh: { window, replay, expiresIn, maxAge } }, { logger: { level: 'silent' } })
  await remember(built.sql)
  mock.timers.enable({ apis: ['Date', 'setTimeout'], now: Date.UTC(2026, 0, 1) })
  t.teardown(() => mock.timers.reset())
  return built
}

const variants: Record<string, Partial<Policy>> = {
  'as it is': {},
  'until superseded': { replay: 'until-superseded' },
  'without a window': { windowSeconds: 0 },
  'near the absolute limit': { expiresInSeconds: 40 * day, maxAgeSeconds: 60 * day },
}

for (const [name, changes] of Object.entries(variants)) {
  t.test(`the plugin gives the answers of its model, one by one: ${name}`, async (t) => {
    const rules = { ...policy, ...changes }
    const { app, sql } = await start(t, rules)
    let users = 0
    await fc.assert(fc.asyncProperty(lifetimes, async (commands) => {
      await pass(1001)
      const real = await createUser(app, sql, `user${users++}`)
      const scheme = coalesced(rules, Date.now())
      await fc.asyncModelRun(() => ({ model: { scheme, answers: [scheme.first] }, real }), commands)
    }), { seed: 4, numRuns: 60 })
    t.ok(users >= 60)
  })
}
