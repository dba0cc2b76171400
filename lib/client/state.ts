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
   * Signs this page out and leaves the store, which another tab may be about to fill: what it holds now counts for
   * nothing here.
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
  let told = 'null'
  let user: Account | null = null

  function load (): Held<Account> | null {
    const now = store.get()
    if (now !== text) {
      text = now
      try {
        held = JSON.parse(now!)
      } catch {
        held = null
      }
    }
    return text === distrusted ? null : held
  }

  /** The same object for as long as nothing of the user has changed. */
  function look (): Account | null {
    const found = load()?.user ?? null
    const now = JSON.stringify(found)
    if (now !== told) {
      told = now
      user = found
    }
    return user
  }

  let heard = look()

  function tell (): void {
    if (look() === heard) return
    heard = user
    for (const listener of listeners) listener()
  }

  // Another tab has changed the store.
  globalThis.addEventListener?.('storage', tell)

  return {
    load,
    save (next) {
      store.set(next && JSON.stringify(next))
      tell()
    },
    distrust () {
      distrusted = store.get()
      tell()
    },
    user: look,
    onChange (listener) {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },
  }
}
