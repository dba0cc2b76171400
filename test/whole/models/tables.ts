import { logouts, visits, type Crowd } from './crowd.ts'
import { schemes } from './rivals.ts'
import { branching, type Scheme } from './server.ts'
import { calm, search, type Client } from './tabs.ts'
import { mostOutlived, outlives, type Owner } from './thief.ts'

/** What was measured, and as it stands in `docs/sessions.md`. */
export interface Told<Measured> {
  measured: Measured
  table: string
}

const owners: Record<string, Pick<Owner, 'replay' | 'meetsGuard'>> = {
  'his access tokens are seen': { replay: 'until-confirmed', meetsGuard: true },
  'they never are': { replay: 'until-confirmed', meetsGuard: false },
  'until superseded, seen': { replay: 'until-superseded', meetsGuard: true },
  'until superseded, never': { replay: 'until-superseded', meetsGuard: false },
}

/** A thief of each scheme, in each of so many steps of a window. */
const thieves: Record<string, { scheme: Scheme, windowSeconds: number }> = {
  'this plugin': { scheme: branching, windowSeconds: 2 },
  'this plugin, time in thirds of a window': { scheme: branching, windowSeconds: 3 },
  'reuse interval': { scheme: schemes['reuse interval'], windowSeconds: 2 },
  'bounded skips': { scheme: schemes['bounded skips'], windowSeconds: 2 },
  'young siblings': { scheme: schemes['young siblings'], windowSeconds: 2 },
  'single use': { scheme: schemes['single use'], windowSeconds: 2 },
}

/**
 * Against owners who come at each period from one window to four and a half, and against one who comes after any such
 * time. Each of the thieves, or those asked for.
 */
export function tellOfThieves (names = Object.keys(thieves)): Told<Record<string, number[]>> {
  const measured: Record<string, number[]> = {}
  const rows = names.map((name) => {
    const { scheme, windowSeconds } = thieves[name]!
    const [least, most] = [windowSeconds, Math.floor(4.5 * windowSeconds)]
    const periods = Array.from({ length: most - least + 1 }, (_, index) => least + index)
    let states = 0
    measured[name] = Object.values(owners).map((owner) => {
      const gaps = [...periods.map((period): Owner['gaps'] => [period, period]), [least, most] satisfies Owner['gaps']]
      const found = gaps.map((gap) => outlives(scheme, { windowSeconds, gaps: gap, ...owner }))
      states += found.reduce((sum, one) => sum + one.states, 0)
      return Math.max(...found.map(({ best }) => best))
    })
    return [name, ...measured[name].map((best) => best === mostOutlived ? 'all' : `${best}`), count(states)]
  })
  return { measured, table: tableOf(['rotations that a thief outlives', ...Object.keys(owners), 'states'], rows) }
}

const slow = { refreshes: 3, inFlight: 3, windowSeconds: 5, roundTripSeconds: 2, confirmedAfterSeconds: 2 }

/** Clients who keep to the rules, and what they may meet. */
export const promised: Record<string, Partial<Client>> = {
  bodies: { refreshes: 6, inFlight: 3 },
  cookies: { refreshes: 5, inFlight: 3, store: 'cookies' },
  'bodies, until superseded': { refreshes: 6, inFlight: 3, replay: 'until-superseded' },
  'cookies, until superseded': { refreshes: 5, inFlight: 3, store: 'cookies', replay: 'until-superseded' },
  'bodies, all of it slower': slow,
  'cookies, all of it slower': { ...slow, store: 'cookies' },
  'bodies, and the password given': { proofs: 1 },
  'cookies, and the password given twice': { proofs: 2, store: 'cookies' },
  'bodies, and a commit is lost': { refreshes: 4, lostCommits: 1 },
  'cookies, and a commit is lost': { inFlight: 3, lostCommits: 1, store: 'cookies' },
  'bodies, and the password given, and a commit is lost': { refreshes: 2, proofs: 1, lostCommits: 1 },
  'cookies, and the password given, and a commit is lost': { proofs: 1, lostCommits: 1, store: 'cookies' },
}

/** What costs a login, each with the shortest way to it. */
export const beyond: Record<string, Partial<Client>> = {
  'a request arrives after more than a window': { roundTripSeconds: 5 },
  'cookies, and answers take more than half a window': { roundTripSeconds: 2, store: 'cookies' },
  'clocks are more than a window apart': { skewSeconds: 5 },
  'the answer to the password is lost': { proofs: 1, losesProofs: true },
  'tabs keep copies of the login': { store: 'copies' },
  'the commit is lost that kept a window open for another tab': { lostCommits: 1, losesRepeats: true },
  'cookies, and a commit is lost while two answers are under way': { refreshes: 4, lostCommits: 1, store: 'cookies' },
}

export function tellOfTabs (): Told<Record<string, string[] | undefined>> {
  const measured: Record<string, string[] | undefined> = {}
  const rows = Object.entries({ ...promised, ...beyond }).map(([name, change]) => {
    const client = { ...calm, ...change }
    const { states, way } = search(client)
    measured[name] = way
    return [name, `${client.refreshes}, ${client.inFlight}`, count(states), way ? `in ${way.length} steps` : 'none']
  })
  return {
    measured,
    table: tableOf(['one client, and the ways to log it out', 'refreshes, at one time', 'states', 'a way'], rows),
  }
}

const everyLoss = [0.01, 0.05, 0.2, 0.4]

const gentle: Pick<Crowd, 'store' | 'isCrowded'> = { store: 'compared', isCrowded: false }
const places = {
  bodies: gentle,
  'bodies, crowded': { ...gentle, isCrowded: true },
  cookies: { ...gentle, store: 'cookies' },
  'cookies, crowded': { store: 'cookies', isCrowded: true },
} satisfies Record<string, typeof gentle>

type Place = keyof typeof places
const everywhere = Object.keys(places) as Place[]

/** Who is asked where: single use does not know one store from another. */
const crowds: [name: string, scheme: Scheme, where: Place[], changes?: Pick<Crowd, 'replay'>][] = [
  ['this plugin', branching, everywhere],
  ['this plugin, until superseded', branching, ['bodies, crowded', 'cookies, crowded'], { replay: 'until-superseded' }],
  ['reuse interval', schemes['reuse interval'], everywhere],
  ['single use', schemes['single use'], ['bodies', 'bodies, crowded']],
]

/** Each scheme, or `only` one, at each share of answers that are lost, or at those asked for. */
export function tellOfCrowds (
  { only, losses = everyLoss }: { only?: Scheme, losses?: number[] } = {}
): Told<Record<string, number[]>> {
  const measured: Record<string, number[]> = {}
  for (const [name, scheme, where, changes] of crowds) {
    if (only && scheme !== only) continue
    for (const place of where) { measured[`${name}: ${place}`] = losses.map((loss) => logouts(scheme, { ...places[place], ...changes, loss })) }
  }
  const rows = Object.entries(measured).map(([name, counts]) => [name, ...counts.map(count)])
  return {
    measured,
    table: tableOf([`logins lost in ${count(visits)} visits`, ...losses.map((loss) => `${loss * 100} % lost`)], rows),
  }
}

const count = (number: number) => number.toLocaleString('en')

function tableOf (head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
