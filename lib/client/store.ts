/**
 * Keeps a text for all pages that share a login. Both calls are synchronous. A store of your own, such as a file or
 * the key chain of a phone, keeps the text secret: it holds the tokens, unless they travel in cookies.
 */
export interface Store {
  /** The text, or null where there is none. */
  get: () => string | null
  /** Keeps the text; null deletes it. */
  set: (text: string | null) => void
}

/**
 * `localStorage`, and for this page alone memory where that is not wanted, forbidden or full. Then the older copy is
 * deleted: other tabs that went on with it would look like thieves.
 */
export function pageStore (name: string, isShared: boolean): Store {
  let own: string | null = null
  const shared = () => (isShared ? localStorage : undefined)!
  return {
    get () {
      try {
        return own ?? shared().getItem(name)
      } catch {
        return null
      }
    },
    set (text) {
      own = text
      try {
        // Not before the new text: a tab that looks in between would take it for a logout.
        try {
          if (text) shared().setItem(name, text)
          else shared().removeItem(name)
        } catch {
          shared().removeItem(name)
          shared().setItem(name, text!)
        }
        own = null
      } catch {}
    },
  }
}
