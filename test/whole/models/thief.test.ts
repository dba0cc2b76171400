// In a process of its own: it computes for long.
import t from 'tap'
import { printed } from './printed.ts'
import { tellOfThieves } from './tables.ts'
import { mostOutlived } from './thief.ts'

const { measured, table } = tellOfThieves()
const most = (name: string) => Math.max(...measured[name]!)

t.test(
  'a thief who knows all that is to come outlives one rotation of the owner, whenever the owner comes and whatever is seen',
  async (t) => {
    t.same(measured['this plugin'], [1, 1, 1, 1])
    t.same(measured['this plugin, time in thirds of a window'], [1, 1, 1, 1])
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
  t.equal(printed('thieves'), table, 'npm run -s compare:sessions prints it anew')
})
