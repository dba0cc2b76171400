import t from 'tap'
import { provedBy } from '../../lib/tokens/claims.ts'
import { levels, raisedBy, satisfies } from '../../lib/tokens/levels.ts'

t.test('each level satisfies itself and those before it', async (t) => {
  for (const [has, level] of levels.entries()) {
    for (const [asked, wanted] of levels.entries()) t.equal(satisfies(level, wanted), has >= asked, `${level}, ${wanted}`)
  }
})

t.test('a proof raises a session, and nothing lowers it', async (t) => {
  const [two, resistant] = [{ acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] }, { acr: 'phr', amr: ['pop', 'user', 'mfa'] }] as const
  const [weaker, stronger] = [{ ...two, amr: [...two.amr] }, { ...resistant, amr: [...resistant.amr] }]
  t.strictSame(raisedBy(weaker, stronger), stronger)
  t.strictSame(raisedBy(stronger, weaker), stronger)
})

t.test('what says no level of ours counts least', async (t) => {
  t.strictSame(provedBy({}), { acr: 'aal1', amr: [] })
  t.strictSame(provedBy({ acr: 'aal9', amr: null }), { acr: 'aal1', amr: [] })
  t.strictSame(provedBy({ acr: 'phr', amr: ['pop'] }), { acr: 'phr', amr: ['pop'] })
})
