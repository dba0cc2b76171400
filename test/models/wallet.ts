import type { Circumstances, Event } from './life.ts'
import type { Answer, RefreshToken } from './schemes/scheme.ts'

type Request = Pick<Event, 'tab' | 'deed'>

/** Where the tabs of a client keep what they were given, and which of them waits for an answer. */
export function createWallet ({ store, tabs, turns }: Circumstances, first: Answer) {
  const shelves = Array<Answer>(store === 'own' ? tabs : 1).fill(first)
  const shelfOf = (tab: number) => store === 'own' ? tab : 0
  const open = new Set<Request>()

  function areInTurn (one: Request, other: Request): boolean {
    return one.tab === other.tab || turns === 'all' || (turns === 'passwords' && [one.deed, other.deed].includes('password'))
  }

  return {
    of: (tab: number) => shelves[shelfOf(tab)]!,

    /** Takes in what came of asking with `asked`. False where it is dropped, since another one has changed the store. */
    put (tab: number, answer: Answer, asked: RefreshToken): boolean {
      const held = shelves[shelfOf(tab)]!
      if (store === 'compared' && !isSame(held.refresh, asked)) return false
      // A browser is not sent again the very token that it has shown.
      const keeps = store === 'last' && isSame(answer.refresh, asked)
      shelves[shelfOf(tab)] = keeps ? { ...answer, refresh: held.refresh } : answer
      return true
    },

    isBusy: (request: Request) => [...open].some((other) => areInTurn(request, other)),
    /** Call what is returned when there is nothing to wait for any more. */
    wait (request: Request): () => void {
      open.add(request)
      return () => { open.delete(request) }
    },
  }
}

/** The same text, so to speak. */
function isSame (one: RefreshToken, other: RefreshToken): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
