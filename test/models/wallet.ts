import type { Circumstances } from './life.ts'
import type { Answer } from './schemes/scheme.ts'

/** Where the tabs of a client keep what they were given, and which of them waits for an answer. */
export function createWallet ({ store, tabs, turns }: Circumstances, first: Answer) {
  const shelves = Array<Answer>(store === 'own' ? tabs : 1).fill(first)
  const waiting = new Set<number>()
  const shelfOf = (tab: number) => store === 'own' ? tab : 0
  const queueOf = (tab: number) => turns ? 0 : tab

  return {
    of: (tab: number) => shelves[shelfOf(tab)]!,
    /** False where something newer is there already. */
    put (tab: number, answer: Answer): boolean {
      const shelf = shelfOf(tab)
      if (store === 'newest' && answer.refresh.gen < shelves[shelf]!.refresh.gen) return false
      shelves[shelf] = answer
      return true
    },
    isBusy: (tab: number) => waiting.has(queueOf(tab)),
    wait: (tab: number) => { waiting.add(queueOf(tab)) },
    goOn: (tab: number) => { waiting.delete(queueOf(tab)) },
  }
}
