import { createAgenda } from './agenda.ts'
import { createDetective, type Side } from './detective.ts'
import { linesOf, tailOf } from './ending.ts'
import { second, windowSeconds, type Deed, type Event, type Life } from './life.ts'
import type { Outcome } from './outcome.ts'
import type { Answer, End, Refusal, RefreshToken, Scheme } from './schemes/scheme.ts'
import { createWallet } from './wallet.ts'

/** Milliseconds since 1970: when every life begins. */
export const login = Date.UTC(2026, 0, 1)

/** Lives through a life on a server of this scheme. All times are by the true clock, but what a server process takes for one. */
export function simulate ({ circumstances, events }: Life, scheme: Scheme): Outcome {
  const { hasty, clockMs } = circumstances
  const agenda = createAgenda(login)
  const detective = createDetective(scheme, windowSeconds * second + 2 * clockMs)
  const offsets = [0, 0]
  const wallet = createWallet(circumstances, scheme.first)
  const bag: Answer[] = []
  const issued = new Map([[0, scheme.first.refresh]])
  let [loggedOut, endedAt, wrong, successes] = [false, Infinity, 0, 0]

  const clockOf = (process: number) => () => agenda.now() + offsets[process]!
  const settleSoon = (process: number) => agenda.in(second, () => agenda.work(scheme.settle(process, clockOf(process)), 1, () => {}))

  function note (answer: Answer): void {
    issued.set(answer.refresh.gen, answer.refresh)
    if (answer.refresh.exp * 1000 > scheme.limit || answer.access.exp * 1000 > scheme.limit) wrong++
  }

  function refresh (side: Side, token: RefreshToken, event: Event, then: (result: Answer | Refusal) => void): void {
    const { process, upMs, pauseMs, downMs, fate } = event
    if (fate === 'request lost') return
    agenda.in(upMs, () => {
      const clock = clockOf(process)
      const isTooLate = agenda.now() > endedAt || clock() >= scheme.limit
      const judged = detective.arrives(side, token, agenda.now(), clock())

      agenda.work(scheme.refresh(process, token, clock), pauseMs, (result) => {
        judged(result, agenda.now())
        settleSoon(process)
        if (typeof result !== 'string') {
          successes++
          if (isTooLate) wrong++
          note(result)
        }
        if (fate === 'arrives') agenda.in(downMs, () => then(result))
      })
    })
  }

  function show ({ access }: Answer, process: number): void {
    const clock = clockOf(process)
    const isTooLate = agenda.now() > endedAt || clock() >= scheme.limit
    if (scheme.admits(process, access, clock) && isTooLate) wrong++
    settleSoon(process)
  }

  /** A client puts down what it was given, unless it knows better, and before it uses it. */
  function take (answer: Answer, { tab, process, shows }: Event, asked: RefreshToken): void {
    if (wallet.put(tab, answer, asked) && shows) agenda.in(1, () => show(answer, process))
  }

  /** A client that waits for an answer asks for nothing else. It gives up when none can come any more, unless it is hasty. */
  function wait (event: Event): () => void {
    const { fate, upMs, pauseMs, downMs } = event
    if (fate !== 'arrives' && hasty) return () => {}
    const goOn = wallet.wait(event)
    if (fate !== 'arrives') agenda.in(fate === 'request lost' ? upMs : upMs + 20 * pauseMs + downMs, goOn)
    return goOn
  }

  function ownerRefreshes (event: Event): void {
    const { refresh: token } = wallet.of(event.tab)
    const goOn = wait(event)
    refresh('owner', token, event, (result) => {
      goOn()
      if (typeof result !== 'string') return take(result, event, token)
      const knowsAnother = wallet.of(event.tab).refresh.gen !== token.gen && !scheme.isOver(agenda.now())
      const isExpired = agenda.now() + offsets[event.process]! >= token.exp * 1000
      if (result !== 'UNAVAILABLE' && !knowsAnother && !isExpired && agenda.now() < endedAt) loggedOut = true
    })
  }

  function passwordChanges (event: Event): void {
    const { access, refresh: asked } = wallet.of(event.tab)
    const goOn = wait(event)
    if (event.fate === 'request lost') return
    agenda.in(event.upMs, () => {
      const answer = scheme.changePassword(event.process, access, clockOf(event.process))
      if (answer) note(answer)
      if (event.fate !== 'arrives') return
      agenda.in(event.downMs, () => {
        goOn()
        if (answer) take(answer, event, asked)
      })
    })
  }

  function ends (kind: End): void {
    scheme.end(kind, agenda.now())
    endedAt = Math.min(endedAt, agenda.now())
  }

  const owner = (act: (event: Event) => void) => (event: Event) => { if (!loggedOut && !wallet.isBusy(event)) act(event) }
  const stolen = ({ choice }: Event) => bag[Math.max(0, bag.length - 1 - Math.max(0, choice - 4))]
  const deeds: Record<Deed, (event: Event) => void> = {
    refresh: owner(ownerRefreshes),
    use: owner(({ tab, process }) => show(wallet.of(tab), process)),
    password: owner(passwordChanges),
    'fan-out': owner((event) => {
      for (const copy of [1, 2, 3]) {
        const [process, upMs, downMs] = [(event.process + copy) % 2, Math.ceil(event.upMs / copy), Math.ceil(event.downMs / (4 - copy))]
        ownerRefreshes({ ...event, process, upMs, downMs })
      }
    }),
    copy: ({ tab }) => { bag.push(wallet.of(tab)); detective.theft() },
    'thief refresh' (event) {
      const loot = stolen(event)
      if (loot) {
        refresh('thief', loot.refresh, { ...event, fate: 'arrives' }, (result) => {
          if (typeof result === 'string') return
          bag.push(result)
          if (event.shows) agenda.in(1, () => show(result, event.process))
        })
      }
    },
    'thief use' (event) {
      const loot = stolen(event)
      if (loot) show(loot, event.process)
    },
    clock: ({ process, choice, upMs }) => { offsets[process] = Math.round((choice / 7 * 2 - 1) * clockMs) + (upMs % 2) },
    crash: ({ process }) => scheme.crash(process),
    forget: () => scheme.forget(),
    logout: () => ends('logout'),
    everywhere: () => ends('everywhere'),
    disabled: () => ends('disabled'),
  }

  let at = 0
  for (const event of [...events, ...tailOf(circumstances, events)]) {
    at += event.gapMs
    agenda.in(at, () => deeds[event.deed](event))
  }
  agenda.run()

  const { crossed, foundAfter } = detective.report()
  const isOver = scheme.isOver(agenda.now())
  return { loggedOut, crossed, foundAfter, isOver, lines: linesOf(scheme, issued, agenda.now()), wrong, successes }
}
