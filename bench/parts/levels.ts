import { table } from '../report.ts'
import type { Pace } from '../rounds.ts'
import { hundredths, ratioOf, spreadOf, tenths } from '../statistics.ts'
import { measureAll, type Lane } from './guard.ts'

const lanes: Lane[] = [
  { name: 'no second factors', server: ['ours', 'HS256 header'], tokens: 1 },
  { name: 'second factors', server: ['ours', 'HS256 header factors'], tokens: 1 },
  { name: 'second factors, a guard with `acr`', server: ['ours', 'HS256 header acr'], tokens: 1 },
]

/** What it costs a guarded request that there are levels, and that its guard asks for one: in ten paired rounds. */
export async function levels (pace: Pace): Promise<string> {
  const measured = await measureAll(lanes, 1, { ...pace, starts: 1, rounds: 10 })
  const cpuOf = (lane: Lane) => measured.get(lane)!.map(({ cpuUs }) => cpuUs)
  const [without] = lanes
  return table([
    ['a guarded request', 'CPU, µs', 'CPU, × without'],
    ...lanes.map((lane) =>
      [lane.name, tenths(spreadOf(cpuOf(lane))), hundredths(ratioOf(cpuOf(lane), cpuOf(without!)))]),
  ])
}
