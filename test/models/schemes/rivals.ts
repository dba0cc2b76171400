import { limits, type AccessToken, type Policy, type RefreshToken, type Scheme } from './scheme.ts'

/** A token that is a random number: what it means, the server has stored. */
interface Ticket extends RefreshToken {
  /** The number of the token that it was bought with. */
  parent: number | undefined
}

type ShownTicket = AccessToken & Pick<Ticket, 'gen' | 'parent'>
type Mint = (parent: number) => Ticket

/** What a server of this kind stores, and what it does with it. Each act happens at once: nobody ever comes between. */
interface Rules<State> {
  start: (first: Ticket) => State
  /** What is stored next and what the answer is, or nothing where a spent token is taken for stolen. */
  refresh: (state: State, token: Ticket, now: number, mint: Mint) => { state: State, ticket: Ticket } | 'REUSED' | 'INVALID'
  /** What is stored once an access token was seen. */
  see?: (state: State, token: ShownTicket) => State
}

/** A server that follows these rules, with the limits, the guards and the endings of the others. */
function rival<State> ({ start, refresh, see = (state) => state }: Rules<State>, policy: Policy, login: number): Scheme<Ticket, ShownTicket> {
  const { limit, idleUntil, accessUntil } = limits(policy, login)
  let serial = 0
  let ended = false
  let before: State | undefined

  const mint = (parent: number | undefined, now: number): Ticket => ({ gen: serial++, parent, exp: Math.floor(idleUntil(now) / 1000) })
  const answer = (ticket: Ticket, now: number) => ({ refresh: ticket, access: { gen: ticket.gen, parent: ticket.parent, exp: accessUntil(now) } })
  const isOver = (now: number) => ended || now >= limit

  function admits (_process: number, token: ShownTicket, clock: () => number): boolean {
    const alive = !isOver(clock()) && clock() / 1000 < token.exp
    if (alive) state = see(state, token)
    return alive
  }

  const ticket = mint(undefined, login)
  const first = answer(ticket, login)
  let state = start(ticket)

  return {
    limit,
    first,
    admits,
    isOver,

    * refresh (_process, token, clock) {
      const now = clock()
      if (now / 1000 >= token.exp) return 'EXPIRED'
      if (isOver(now)) return 'REVOKED'
      const result = refresh(state, token, now, (parent) => mint(parent, now))
      if (result === 'REUSED') ended = true
      if (typeof result === 'string') return result
      if (result.state !== state) before = state
      state = result.state
      return answer(result.ticket, now)
    },
    changePassword: () => undefined,
    end () { ended = true },
    * settle () {},
    crash () {},
    forget () { state = before ?? state },
  }
}

/** Every token works once; the second use ends the session (RFC 9700 §4.14.2). */
export function singleUse (policy: Policy, login: number) {
  return rival<{ current: number }>({
    start: ({ gen }) => ({ current: gen }),
    refresh ({ current }, { gen }, _now, mint) {
      if (gen !== current) return gen < current ? 'REUSED' : 'INVALID'
      const ticket = mint(gen)
      return { state: { current: ticket.gen }, ticket }
    },
  }, policy, login)
}

/** For a while after its first use a token buys more: each time a new one, so that the session has several ends. */
export function forkInWindow (policy: Policy, login: number) {
  return rival<ReadonlyMap<number, number | null>>({
    start: ({ gen }) => new Map([[gen, null]]),
    refresh (spentAt, { gen }, now, mint) {
      const spent = spentAt.get(gen)
      if (spent === undefined) return 'INVALID'
      if (spent !== null && now - spent >= policy.windowSeconds * 1000) return 'REUSED'
      const ticket = mint(gen)
      return { state: new Map([...spentAt, [gen, spent ?? now], [ticket.gen, null]]), ticket }
    },
  }, policy, login)
}

/** For a while after its first use a token is given the answer that it was given then, out of a cache that all processes share. */
export function replayCache (policy: Policy, login: number) {
  return rival<{ current: number, answers: ReadonlyMap<number, { ticket: Ticket, at: number }> }>({
    start: ({ gen }) => ({ current: gen, answers: new Map() }),
    refresh (state, { gen }, now, mint) {
      const kept = state.answers.get(gen)
      if (kept) return now - kept.at < policy.windowSeconds * 1000 ? { state, ticket: kept.ticket } : 'REUSED'
      if (gen !== state.current) return 'INVALID'
      const ticket = mint(gen)
      return { state: { current: ticket.gen, answers: new Map([...state.answers, [gen, { ticket, at: now }]]) }, ticket }
    },
  }, policy, login)
}

/** The last token that is known to have arrived works, as often as one likes, until one that it bought is shown. */
export function parentAndChild (policy: Policy, login: number) {
  const see = (known: number, { gen, parent }: Pick<Ticket, 'gen' | 'parent'>) => parent === known ? gen : known
  return rival<number>({
    start: ({ gen }) => gen,
    see,
    refresh (state, token, _now, mint) {
      const known = see(state, token)
      if (known !== token.gen) return 'REUSED'
      return { state: known, ticket: mint(known) }
    },
  }, policy, login)
}
