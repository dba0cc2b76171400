// In a process of its own, for 15 s: it computes.
import t from 'tap'
import { printed } from './printed.ts'
import { schemes } from './rivals.ts'
import { branching, type Scheme } from './server.ts'
import { beyond, promised, tellOfTabs } from './tables.ts'
import { calm, search } from './tabs.ts'

const { measured, table } = tellOfTabs()

/** An earlier draft: a token of the current generation is its client's for one window, not for two. */
const oneWindow: Scheme = {
  judge (row, token, now, policy) {
    const verdict = branching.judge(row, token, now, policy)
    const isSpent = token.gen === row.gen && +now - token.iat * 1000 >= policy.windowSeconds * 1000
    return verdict === 'SAME' && isSpent ? 'ROTATE' : verdict
  },
}

for (const sentence of Object.keys(promised)) {
  t.test(`no order of events logs an honest client out: ${sentence}`, async (t) => {
    t.notOk(measured[sentence])
  })
}

for (const sentence of Object.keys(beyond)) {
  t.test(`an order of events is known that costs a login: ${sentence}`, async (t) => {
    t.match(measured[sentence], { length: Number })
  })
}

t.test('the search finds the fault of an earlier draft and of other schemes', async (t) => {
  const wayOut = (scheme: Scheme, store: 'compared' | 'cookies') =>
    search({ ...calm, refreshes: 4, inFlight: 3, store }, scheme).way
  t.match(wayOut(oneWindow, 'cookies')?.at(-1), 'the ROTATE is written')
  for (const name of ['reuse interval', 'single use'] as const) t.equal(wayOut(schemes[name], 'compared')?.length, 3)
})

t.test('the table of clients in the documentation is what was searched', async (t) => {
  t.equal(printed('tabs'), table, 'npm run -s compare:sessions prints it anew')
})
