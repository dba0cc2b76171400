import type { RotationPolicy, Verdict } from '../../../lib/sessions/rotation.ts'
import { beginning, branching, confirmed, lifted, mint, write, type Refresh, type Row, type Scheme, type Token } from './server.ts'

/** An honest client, and what may befall it. Times in seconds. */
export interface Client {
  windowSeconds: number
  replay: RotationPolicy['replay']
  /**
   * A store that takes an answer only over what was shown, a browser's cookies, or a copy of the login in each of two
   * tabs.
   */
  store: 'compared' | 'cookies' | 'copies'
  refreshes: number
  /** How many requests are under way at one time. */
  inFlight: number
  /** The longest time from a question to its answer. */
  roundTripSeconds: number
  /** How late it is written that a guard has seen an access token. */
  confirmedAfterSeconds: number
  /** How often somebody proves who he is, and whether the answer to that may be lost. */
  proofs: number
  losesProofs: boolean
  /** How many commits the database loses, and whether what only keeps a window open may be among them. */
  lostCommits: number
  losesRepeats: boolean
  /** By how much the clock of another process is ahead. */
  skewSeconds: number
}

export const calm: Client = {
  windowSeconds: 3,
  replay: 'until-confirmed',
  store: 'compared',
  refreshes: 3,
  inFlight: 2,
  roundTripSeconds: 1,
  confirmedAfterSeconds: 1,
  proofs: 0,
  losesProofs: false,
  lostCommits: 0,
  losesRepeats: false,
  skewSeconds: 0,
}

/** A request on its way to the server, at work there, or on its way back. */
interface Flight {
  tab: number
  sentAt: number
  token: Token
  isProof: boolean
  cameAt?: Date
  /** What it was judged by, and when by the clock of its process. */
  judged?: Refresh
  skew: number
  answer?: Token
}

interface State {
  now: number
  row: Row
  /** What the row was before the last commit. */
  before: Row | undefined
  /** The highest floor that a process knows of. */
  floor: number
  stores: Token[]
  flights: Flight[]
  /** Generations of access tokens that a guard has seen, and when. */
  seen: { gen: number, at: number }[]
  refreshes: number
  proofs: number
  lostCommits: number
  serial: number
  loggedOut?: boolean
}

/** How a state came about, back to the login. */
interface Step {
  what: string
  before: Step | undefined
}

const second = 1000
const login = Date.UTC(2026, 0, 1)
const over = new Set<Verdict>(['REUSE', 'DEAD', 'FORGED', 'OLD'])

/**
 * Looks for the shortest way to log an honest client out: breadth first over every order of its requests, of the two
 * halves that the server answers each in, and of what is written late. An answer that is lost counts as lost when it is
 * sent.
 */
export function search (client: Client, scheme: Scheme = branching) {
  const {
    windowSeconds, replay, store, inFlight, roundTripSeconds, confirmedAfterSeconds, losesProofs, skewSeconds,
  } = client
  const policy = { windowSeconds, replay, expiresInSeconds: 1e9 }
  const confirms = replay === 'until-confirmed'
  const keys = new Set<string>()
  let layer: { state: State, step: Step | undefined }[] = []
  let next: typeof layer = []
  let found: Step | undefined

  function * successors (state: State): Generator<[what: string, next: State]> {
    yield * requests(state)
    yield * confirmations(state)
    if (state.lostCommits > 0 && state.before) {
      yield ['a commit is lost', { ...state, row: state.before, before: undefined, lostCommits: state.lostCommits - 1 }]
    }
    for (const flight of state.flights) {
      const others = { ...state, flights: state.flights.filter((other) => other !== flight) }
      if (flight.answer) yield * arrives(others, flight, flight.answer)
      else if (flight.isProof) yield * proves(others, flight)
      else if (flight.judged) yield * writes(others, flight, flight.judged)
      else yield * judges(others, flight)
    }
    const now = state.now + 1
    const isLate = state.flights.some(({ sentAt }) => now - sentAt > roundTripSeconds) ||
      state.seen.some(({ at }) => now - at > confirmedAfterSeconds)
    if (!isLate) yield ['a second passes', { ...state, now }]
  }

  function * requests (state: State): Generator<[string, State]> {
    const { flights, stores } = state
    if (flights.length === inFlight) return
    for (const [tab, token] of stores.entries()) {
      const flight = { tab, token, sentAt: state.now, skew: 0 }
      const send = (isProof: boolean) => [...flights, { ...flight, isProof }]
      // In cookies a lock over all tabs keeps the two apart.
      const isLocked = (isProof: boolean) => store === 'cookies' && flights.some((other) => isProof || other.isProof)
      if (state.refreshes > 0 && !isLocked(false)) yield ['a refresh is sent', { ...state, flights: send(false), refreshes: state.refreshes - 1 }]
      if (state.proofs > 0 && !isLocked(true)) yield ['a password is sent', { ...state, flights: send(true), proofs: state.proofs - 1 }]
    }
  }

  /** The client uses an access token that it stored, and some time later that is written. */
  function * confirmations (state: State): Generator<[string, State]> {
    const { row, seen, stores, floor } = state
    for (const { gen } of stores) {
      const tells = confirms && gen > row.confirmedGen && gen >= floor && !seen.some((other) => other.gen === gen)
      if (tells) yield ['a guard sees an access token', { ...state, seen: [...seen, { gen, at: state.now }] }]
    }
    for (const note of seen) {
      const left = confirmed(row, note.gen)
      const rest = { ...state, seen: seen.filter((other) => other !== note) }
      yield ['that is written', left ? commit(rest, left) : { ...rest, loggedOut: true }]
    }
  }

  function * judges (state: State, flight: Flight): Generator<[string, State]> {
    const { row, floor, flights } = state
    for (const skew of skewSeconds && !flight.cameAt ? [0, skewSeconds] : [flight.skew]) {
      // A process knows of the floor, or it does not yet.
      for (const known of floor > row.floorGen ? [floor, 0] : [0]) {
        const now = clock(state, skew)
        const verdict = scheme.judge(row, flight.token, now, policy, known)
        const judged = { token: flight.token, cameAt: flight.cameAt ?? now, found: row, verdict }
        const next = { ...flight, cameAt: judged.cameAt, skew, judged }
        if (verdict === 'OLD') yield ['a refresh is judged OLD', state]
        else if (over.has(verdict)) yield [`a refresh is judged ${verdict}`, { ...state, loggedOut: true }]
        // The very token shown: nothing is written, and nothing in the store changes.
        else if (verdict === 'SAME' && flight.token.gen === row.gen) yield ['a refresh is judged SAME', note(state, row.gen)]
        else yield [`a refresh is judged ${verdict}`, { ...state, flights: [...flights, next] }]
      }
    }
  }

  function note (state: State, gen: number): State {
    const tells = confirms && state.row.confirmedGen < gen && !state.seen.some((other) => other.gen === gen)
    return tells ? { ...state, seen: [...state.seen, { gen, at: state.now }] } : state
  }

  function * writes (state: State, flight: Flight, judged: Refresh): Generator<[string, State]> {
    const left = write(scheme, policy, state.row, judged, clock(state, flight.skew), `b${state.serial}`)
    const { judged: _, ...again } = flight
    const what = `the ${judged.verdict} is written`
    if (!left?.answer) return yield [left ? what : `${what}, to no row`, { ...left ? commit(state, left.row) : state, flights: [...state.flights, again] }]
    const written = { ...commit(state, left.row), serial: state.serial + 1 }
    yield [`${what}, its answer is lost`, written]
    const isTaken = store === 'cookies' || isSame(state.stores[flight.tab]!, flight.token)
    if (isTaken) yield [what, { ...written, flights: [...state.flights, { ...again, answer: left.answer }] }]
  }

  function * proves (state: State, flight: Flight): Generator<[string, State]> {
    const left = flight.token.gen < state.floor ? undefined : lifted(state.row, flight.token.gen, clock(state, 0))
    if (!left) return yield ['a password is refused', state]
    const answer = mint(left, `b${state.serial}`, clock(state, 0), scheme)
    const proved = { ...commit(state, left), floor: left.gen, serial: state.serial + 1 }
    if (losesProofs) yield ['a password makes a floor, its answer is lost', proved]
    yield ['a password makes a floor', { ...proved, flights: [...state.flights, { ...flight, answer }] }]
  }

  function * arrives (state: State, flight: Flight, answer: Token): Generator<[string, State]> {
    const isTaken = store === 'cookies' || flight.isProof || isSame(state.stores[flight.tab]!, flight.token)
    yield ['an answer arrives', isTaken ? { ...state, stores: state.stores.with(flight.tab, answer) } : state]
  }

  const clock = ({ now }: State, skew: number) => new Date(login + (now + skew) * second)

  function commit (state: State, row: Row): State {
    if (row === state.row) return state
    // What was lost with the commit before stays lost with it.
    const keeps = row.gen === state.row.gen && row.confirmedGen === state.row.confirmedGen && !client.losesRepeats
    const before = keeps ? state.before : state.row
    return { ...state, row, before: state.lostCommits > 0 ? before : undefined }
  }

  /** With nothing under way, what is in the store works now and later. */
  function isLoggedOut (state: State): boolean {
    const { row, floor, flights, seen, stores, loggedOut } = state
    if (loggedOut) return true
    if (flights.length > 0 || seen.length > 0) return false
    const worksAt = (token: Token, later: number) =>
      !over.has(scheme.judge(row, token, clock(state, later), policy, floor))
    return stores.some((token) => !worksAt(token, 0) || !worksAt(token, 2 * windowSeconds))
  }

  function keyOf (state: State): string {
    const { row, before, now, floor, stores, flights, seen } = state
    const names = new Map<string, number>()
    const losesCommits = client.lostCommits > 0
    const since = (at: number, most: number) => Math.min(now - (at - login) / second, most)
    const age = (at: Date) => since(+at, windowSeconds + skewSeconds)
    const gen = (generation: number | null) => generation === null ? '' : generation - row.gen

    function branch (br: string | null): number | string {
      if (br === null) return ''
      if (!names.has(br)) names.set(br, names.size)
      return names.get(br)!
    }

    function token ({ gen: own, br, iat, pa }: Token): string {
      const isOpen = losesCommits || own >= row.gen
      const parent = losesCommits && pa ? `p${gen(pa.gen)}.${branch(pa.br)}` : ''
      return `${gen(own)}.${branch(br)}${isOpen ? `i${since(iat * second, 2 * windowSeconds + 1 + skewSeconds)}` : ''}${own ? '' : 'f'}${parent}`
    }

    const rowOf = (some: Row) => [
      gen(some.gen), gen(some.prevGen), branch(some.prevBranch), some.confirmedGen < some.gen ? '' : 's', gen(some.floorGen), age(some.answeredAt), some.gen ? '' : 'f', ...scheme.isShared ? [age(some.rotatedAt), some.skips] : [],
    ].join('.')

    function judgement ({ verdict, found }: Refresh): string {
      if (verdict === 'ROTATE' || verdict === 'ADOPT') return `${verdict[0]}${gen(found.gen)}`
      return `${verdict}${found === row ? '' : rowOf(found)}`
    }

    const flight = (one: Flight) => {
      const judged = one.judged ? judgement(one.judged) : ''
      const came = one.cameAt ? since(+one.cameAt, 99) : ''
      return `${one.tab}${one.isProof}${token(one.token)}@${now - one.sentAt}${judged}c${came}s${one.skew}${one.answer ? token(one.answer) : ''}`
    }

    const order = ({ sentAt, isProof, answer, judged }: Flight) =>
      sentAt * 8 + (isProof ? 4 : 0) + (answer ? 2 : 0) + (judged ? 1 : 0)
    const inOrder = flights.toSorted((one, other) => order(one) - order(other))
    const counters = `${state.refreshes}${state.proofs}${state.lostCommits}${floor > row.floorGen ? gen(floor) : ''}`
    const notes = seen.map((one) => `${gen(one.gen)}@${now - one.at}`).sort()
    return `${counters}|${rowOf(row)}|${stores.map(token).join()}|${inOrder.map(flight).join()}|${notes.join()}|${before ? rowOf(before) : ''}`
  }

  function reach (state: State, step: Step | undefined): void {
    const key = keyOf(state)
    if (keys.has(key)) return
    keys.add(key)
    next.push({ state, step })
    if (isLoggedOut(state)) found ??= step
  }

  const began = new Date(login)
  const row = beginning(began, policy)
  const first = mint(row, 'b0', began, scheme)
  const stores = store === 'copies' ? [first, first] : [first]
  const { refreshes, proofs, lostCommits } = client
  const sums = { refreshes, proofs, lostCommits, serial: 1 }
  reach({ now: 0, row, before: undefined, floor: 0, stores, flights: [], seen: [], ...sums }, undefined)

  while (next.length > 0 && !found) {
    [layer, next] = [next, []]
    for (const { state, step } of layer) {
      for (const [what, reached] of successors(state)) reach(reached, { what, before: step })
      if (found) break
    }
  }
  return { states: keys.size, way: wayTo(found) }
}

/** The steps from the login on. */
function wayTo (step: Step | undefined): string[] | undefined {
  if (!step) return
  return [...wayTo(step.before) ?? [], step.what]
}

const isSame = (one: Token, other: Token) => one.gen === other.gen && one.br === other.br
