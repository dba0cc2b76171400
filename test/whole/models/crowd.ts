import { beginning, confirmed, mint, write, type Refresh, type Row, type Scheme, type Token } from './server.ts'

export interface Crowd {
  /** The share of answers that are lost. */
  loss: number
  store: 'compared' | 'cookies'
  replay?: 'until-confirmed' | 'until-superseded'
  /** Six more tabs refresh around the ends of windows. */
  isCrowded: boolean
}

/** So often a client refreshes, each time with up to two more tabs at once. */
export const visits = 20_000

const second = 1000
const windowSeconds = 30
const periodMs = 900 * second
const login = Date.UTC(2026, 0, 1)
/** Answers that take longer are given up: the way there and back is under half a window. */
const mostMsOneWay = 7 * second
const edges = [0, 15, 29, 29.5, 30, 30.5, 58, 59, 60, 61, 89, 90, 91].map((seconds) => seconds * second)
const retriesAfter = [10, 15, 30, 60, 300].map((seconds) => seconds * second)

/** How often an honest client with one store has to log in again. */
export function logouts (scheme: Scheme, { loss, store, isCrowded, replay = 'until-confirmed' }: Crowd): number {
  const policy = { windowSeconds, replay, expiresInSeconds: 1e9 }
  const random = dice(5)
  const oneOf = (times: number[]) => times[Math.floor(random() * times.length)]!
  // Half of all networks are fast.
  const oneWay = () =>
    Math.min(mostMsOneWay, random() < 0.5 ? -Math.log(1 - random()) * 80 : 200 - Math.log(1 - random()) * 1500)
  let agenda: { at: number, act: () => void }[] = []
  let now = login
  let count = 0
  let serial = 0
  let row: Row
  let held: Token

  function signIn (): void {
    row = beginning(new Date(now), policy)
    held = mint(row, `b${serial++}`, new Date(now), scheme)
    agenda = []
  }

  function later (ms: number, act: () => void): void {
    agenda.push({ at: now + ms, act })
  }

  function isOut (): void {
    count++
    signIn()
  }

  function send (): void {
    const token = held
    later(oneWay(), () => read(token, new Date(now)))
  }

  function read (token: Token, cameAt: Date): void {
    const verdict = scheme.judge(row, token, new Date(now), policy)
    if (!['SAME', 'ROTATE', 'SKIP'].includes(verdict)) return isOut()
    const judged = { token, cameAt, found: row, verdict }
    later(1 + random() * 4, () => answer(judged))
  }

  function answer (judged: Refresh): void {
    const { token, cameAt } = judged
    const left = write(scheme, policy, row, judged, new Date(now), `b${serial++}`)
    if (!left) return read(token, cameAt)
    row = left.row
    if (random() < loss) return later(oneOf(retriesAfter), () => { if (isSame(held, token)) send() })
    const given = left.answer!
    later(oneWay(), () => arrives(token, given))
  }

  function arrives (shown: Token, given: Token): void {
    const isTaken = store === 'cookies' ? !isSame(shown, given) : isSame(held, shown)
    if (isTaken) held = given
    const { gen } = held
    // A guard sees it, and writes that about a second later.
    if (replay === 'until-confirmed' && random() < 0.8) later(random() * second, () => shows(gen))
  }

  function shows (gen: number): void {
    const left = confirmed(row, gen)
    if (!left) return isOut()
    row = left
  }

  signIn()
  for (let visit = 0; visit < visits; visit++) {
    now += periodMs
    if (isCrowded) for (let tab = 0; tab < 6; tab++) later(oneOf(edges) + random() * second, send)
    for (const chance of [1, 0.3, 0.15]) if (random() < chance) later(random() * 3 * second, send)
    while (agenda.length > 0) {
      const first = agenda.reduce((one, other) => other.at < one.at ? other : one)
      agenda.splice(agenda.indexOf(first), 1)
      now = first.at
      first.act()
    }
  }
  return count
}

const isSame = (one: Token, other: Token) => one.gen === other.gen && one.br === other.br

/** Numbers from 0 to 1 that are always the same (xorshift). */
function dice (seed: number): () => number {
  let state = seed * 2654435761 >>> 0
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }
}
