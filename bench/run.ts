import type { Kind } from '../test/support/databases.ts'
import { kinds } from './database.ts'
import { boot } from './parts/boot.ts'
import { describeGuard, guard } from './parts/guard.ts'
import { growth, usualSize } from './parts/growth.ts'
import { levels } from './parts/levels.ts'
import { login } from './parts/login.ts'
import { refresh } from './parts/refresh.ts'
import { storm } from './parts/storm.ts'
import { store, writePage, type Section } from './report.ts'
import { smoke, usual } from './rounds.ts'

/**
 * `npm run bench` measures every part and writes docs/performance.md, and `npm run bench -- guard` measures one and
 * leaves the others as they were. With `print` a part is printed, and nothing written. Databases and numbers are for
 * what grows: on which, how many sessions and how many revocations. `npm run bench -- smoke` only shows that
 * guards, logins and refreshes still answer, and `npm run bench -- levels` prints what levels cost a guard.
 */
const words = process.argv.slice(2)
const on = words.filter((word): word is Kind => kinds.includes(word as Kind))
const [sessions, revocations = sessions] = words.filter((word) => /^\d+$/.test(word)).map(Number)
const wanted = words.filter((word) => word !== 'print' && !on.includes(word as Kind) && !/^\d+$/.test(word))

const parts: Record<string, () => Promise<Section>> = {
  guard: async () => describeGuard(await guard(usual)),
  login: () => login(usual),
  refresh: () => refresh(usual),
  storm,
  async growth () {
    const size = await usualSize()
    return growth({
      on: on.length > 0 ? on : size.on,
      sessions: sessions ?? size.sessions,
      revocations: revocations ?? size.revocations,
    })
  },
  boot: () => boot(usual),
}

if (wanted.includes('smoke')) {
  const { rows } = await guard(smoke, 100)
  for (const { name, tokens, perSecond } of rows) {
    console.log(`${name}, ${tokens} tokens: ${perSecond.median.toFixed(0)} requests/s`)
  }
  for (const { text } of [await login(smoke), await refresh(smoke)]) console.log(text)
} else if (wanted.includes('levels')) {
  console.log(await levels(usual))
} else {
  for (const part of wanted.length > 0 ? wanted : Object.keys(parts)) {
    const measure = parts[part]
    if (!measure) throw new Error(`No part ${part}: there are ${Object.keys(parts).join(', ')}, levels and smoke`)
    const section = await measure()
    if (words.includes('print')) {
      console.log(section.text)
      continue
    }
    store(part, section)
    writePage()
    console.log(`${part}: see docs/performance.md`)
  }
}
process.exit()
