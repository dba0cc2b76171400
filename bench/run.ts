import { boot } from './parts/boot.ts'
import { describeGuard, guard } from './parts/guard.ts'
import { login } from './parts/login.ts'
import { refresh } from './parts/refresh.ts'
import { growth, storm } from './parts/scripts.ts'
import { store, writePage, type Section } from './report.ts'
import { smoke, usual } from './rounds.ts'

/**
 * `npm run bench` measures every part and writes docs/performance.md, `npm run bench -- guard` measures one and leaves the
 * others as they were, and `npm run bench -- smoke` only shows that all servers still answer. A number is the size of
 * what has grown.
 */
const words = process.argv.slice(2)
const size = words.find((word) => /^\d+$/.test(word))
const wanted = words.filter((word) => word !== size)

const parts: Record<string, () => Promise<Section>> = {
  guard: async () => describeGuard(await guard(usual)),
  login: () => login(usual),
  refresh: () => refresh(usual),
  storm,
  growth: () => growth(size === undefined ? undefined : Number(size)),
  boot: () => boot(usual),
}

if (wanted.includes('smoke')) {
  const { rows } = await guard(smoke, 100)
  for (const { name, tokens, perSecond } of rows) console.log(`${name}, ${tokens} tokens: ${perSecond.median.toFixed(0)} requests/s`)
} else {
  for (const part of wanted.length > 0 ? wanted : Object.keys(parts)) {
    const measure = parts[part]
    if (!measure) throw new Error(`No part ${part}: there are ${Object.keys(parts).join(', ')}, and smoke`)
    store(part, await measure())
    writePage()
    console.log(`${part}: see docs/performance.md`)
  }
}
process.exit()
