// With more rounds in trials.
import t from 'tap'
import { inTrials } from '../../support/rounds.ts'
import { partOf, printed } from './printed.ts'
import { schemes } from './rivals.ts'
import { tellOfThieves } from './tables.ts'
import { mostOutlived } from './thief.ts'

/** Each scheme in halves of a window; in trials the plugin in thirds too, which has ten times as many states. */
const { measured, table } = tellOfThieves(inTrials ? undefined : Object.keys(schemes))
const most = (name: string) => Math.max(...measured[name]!)

t.test(
  'a thief who knows all that is to come outlives one rotation of the owner, whenever the owner comes and whatever is seen',
  async (t) => {
    t.same(measured['this plugin'], [1, 1, 1, 1])
    if (inTrials) t.same(measured['this plugin, time in thirds of a window'], [1, 1, 1, 1])
  }
)

t.test(
  'a thief outlives all rotations where one token is shared, and two where young siblings are forgiven',
  async (t) => {
    for (const shared of ['reuse interval', 'bounded skips']) t.same(measured[shared], Array(4).fill(mostOutlived))
    t.equal(most('young siblings'), 2)
    t.equal(most('single use'), 0)
  }
)

t.test('the table of thieves in the documentation is what was searched', async (t) => {
  t.equal(inTrials ? printed('thieves') : partOf(printed('thieves'), table), table, 'npm run -s compare:sessions prints it anew')
})
