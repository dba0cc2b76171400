/** The schemes of URLs that name a database, and the dialect of each. */
const schemes = {
  'postgresql:': 'postgresql', 'postgres:': 'postgresql', 'mysql:': 'mysql', 'mariadb:': 'mariadb',
} as const

export type DialectName = 'sqlite' | typeof schemes[keyof typeof schemes]

/** The most connections of a process whose URL does not say. */
const usualConnections = 10

/**
 * The dialect of the database that the option `db` names. Undefined for what is no database, or none that is known
 * here.
 */
export function dialectOf (db: string): DialectName | undefined {
  if (!/^[a-z][a-z0-9+.-]+:/i.test(db)) return db.includes('\0') ? undefined : 'sqlite'
  const url = URL.canParse(db) ? new URL(db) : undefined
  const isWhole = url?.href.startsWith(`${url.protocol}//`) && url.pathname.length > 1 && isEncoded(url) &&
    sizeOf(url) !== undefined
  return isWhole ? schemes[url!.protocol as keyof typeof schemes] : undefined
}

/** The URL without the parameter for the size of the pool, and that size. */
export function readUrl (db: string): { url: URL, connections: number } {
  const url = new URL(db)
  const connections = sizeOf(url)!
  url.searchParams.delete('connection_limit')
  return { url, connections }
}

/** A database as an error may name it: without user name, password and parameters. */
export function nameOf (db: string): string {
  if (dialectOf(db) === 'sqlite') return db
  const { protocol, host, pathname } = new URL(db)
  return `${protocol}//${host}${pathname}`
}

function isEncoded ({ username, password, pathname }: URL): boolean {
  try {
    decodeURIComponent(username + password + pathname)
    return true
  } catch {
    return false
  }
}

function sizeOf ({ searchParams }: URL): number | undefined {
  const text = searchParams.get('connection_limit') ?? String(usualConnections)
  return /^[1-9]\d{0,3}$/.test(text) ? Number(text) : undefined
}
