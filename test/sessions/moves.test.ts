import t from 'tap'
import { leastFloor } from '../../lib/sessions/moves.ts'

t.test('a generation that rotations alone do not reach tells of a floor that was lost', async (t) => {
  for (const [from, to, floor] of [
    [3, 4, undefined],
    [3, 1002, undefined],
    [3, 1003, 1003],
    [3, 1900, 1003],
    [3, 2003, 2003],
  ] as const) t.equal(leastFloor(from, to), floor, `from ${from} to ${to}`)
})
