import { mock } from 'node:test'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { Verdict } from '../../../lib/sessions/rotation.ts'
import { buildOnFile, decode } from '../../support/build.ts'
import { lifetimes } from './commands.ts'
import { createLife, defaults, type Rules } from './life.ts'
import { createUser, pass, remember } from './plugin.ts'

const day = 86400

/** What a token that this session gave out can meet. */
const verdicts: Verdict[] = ['ADOPT', 'DEAD', 'OLD', 'REUSE', 'ROTATE', 'SAME', 'SKIP']

/** The plugin with these rules, its clock in our hands from the boot on. */
async function start (
  t: Test,
  { windowSeconds: window, replay, expiresInSeconds: expiresIn, maxAgeSeconds: maxAge }: Rules
) {
  const built = await buildOnFile(
    t,
    { refresh: { window, replay, expiresIn, maxAge } },
    { logger: { level: 'silent' } }
  )
  await remember(built.sql)
  mock.timers.enable({ apis: ['Date', 'setTimeout'], now: Date.UTC(2026, 0, 1) })
  t.teardown(() => mock.timers.reset())
  return built
}

const variants: Record<string, Partial<Rules>> = {
  'as it is': {},
  'until superseded': { replay: 'until-superseded' },
  'without a window': { windowSeconds: 0 },
  'near the absolute limit': { expiresInSeconds: 40 * day, maxAgeSeconds: 60 * day },
}

for (const [name, changes] of Object.entries(variants)) {
  t.test(`the plugin gives the answers of its model, one by one: ${name}`, async (t) => {
    const rules = { ...defaults, ...changes }
    const { app, sql } = await start(t, rules)
    let users = 0
    const seen = new Set<Verdict>()
    await fc.assert(fc.asyncProperty(lifetimes, async (commands) => {
      await pass(1001)
      const real = await createUser(app, sql, `user${users++}`)
      const life = createLife(rules, new Date(), decode(real.tokens[0]!.refresh_token).payload.br)
      await fc.asyncModelRun(() => ({ model: { life, answers: [life.first] }, real }), commands)
      for (const verdict of life.verdicts) seen.add(verdict)
    }), { seed: 4, numRuns: 60 })
    t.ok(users >= 60)
    t.same(
      [...seen].sort(),
      verdicts.filter((verdict) => rules.windowSeconds > 0 || !['SAME', 'SKIP'].includes(verdict))
    )
  })
}
