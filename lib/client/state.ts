import type { Store } from './store.ts'

/** What is kept of a login: the tokens, or with cookies what scripts may know. */
export interface Held<Account> {
  user: Account
  access_token?: string | undefined
  refresh_token?: string | undefined
  csrf_token?: string | undefined
  /** Differs with each pair of tokens. */
  mark?: number
}

export interface State<Account> {
  load: () => Held<Account> | null
  save: (held: Held<Account> | null) => void
  /**
   * Signs this page out and leaves the store, which another tab may be about to fill: what was last seen in it
   * counts for nothing here.
   */
  distrust: () => void
  user: () => Account | null
  onChange: (listener: () => void) => () => void
}

export function createState<Account> (store: Store): State<Account> {
  const listeners = new Set<() => void>()
  let text: string | null = null
  let held: Held<Account> | null = null
  let distrusted: string | null = null

  /** The user is the same object for as long as nothing of them has changed. */
  function load (): Held<Account> | null {
    const now = store.get()
    if (now !== text) {
      const before = held?.user
      try {
        held = JSON.parse(now!)
      } catch {
        held = null
      }
      text = now
      if (held && JSON.stringify(held.user) === JSON.stringify(before)) held.user = before!
    }
    return text === distrusted ? null : held
  }

  const user = () => load()?.user ?? null
  let heard = user()

  function tell (): void {
    if (user() === heard) return
    heard = user()
    for (const listener of listeners) listener()
  }

  // Another tab has changed the store.
  globalThis.addEventListener?.('storage', tell)

  return {
    load,
    user,
    save (next) {
      store.set(next && JSON.stringify(next))
      tell()
    },
    distrust () {
      distrusted = text
      tell()
    },
    onChange (listener) {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
  }
}
