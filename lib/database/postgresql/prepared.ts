import { createHash } from 'node:crypto'
import { propertiesOf } from '../../checks/any-error.ts'
import { keptTexts } from '../statement.ts'

/** The members of a client of `pg`, which is a connection, that are used here. */
interface AskedClient {
  query: (statement: string) => Promise<unknown>
  /** The process of the server behind the connection, as the server or a pooler has said when it connected. */
  processID: number
  release: () => void
}

/** A statement as `pg` takes it, which is sent by its name alone where the connection has it. */
interface NamedStatement {
  name: string
  text: string
  values: unknown[] | undefined
}

/**
 * Keeps the statements that are made once prepared on each connection: the server parses and plans them once. Through a
 * pooler that gives a connection to somebody else after each transaction none is kept.
 */
export interface Preparing {
  /** Finds out whether there is a pooler. Until then nothing is kept. */
  begin: () => Promise<void>
  /** What to send in place of a text and its values. */
  named: (text: unknown, values: unknown[] | undefined) => unknown
  /** Notes the error of a statement on a connection. */
  note: (client: object, error: unknown) => void
  /** True for a connection whose statements are no good any more: it is not to be used again. */
  isStale: (client: object) => boolean
}

/**
 * What the server no longer takes on a connection: a plan whose table has other columns since (`select *`, after a
 * migration by a newer process), a name that it does not know, and one that it knows already. Such a try is made again.
 */
const staleCodes = { changedPlan: '0A000', unknownName: '26000', takenName: '42P05' } as const

const stale: unknown[] = Object.values(staleCodes)

export function createPreparing (connect: () => Promise<AskedClient>): Preparing {
  const names = new Map<string, string>()
  const staleClients = new WeakSet<object>()
  let isDirect = false

  /** Of the text alone, so that no name ever stands for another statement, whoever has prepared it. */
  function nameOf (text: string): string {
    const name = names.get(text) ?? `accounts_${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`
    names.set(text, name)
    return name
  }

  return {
    async begin () {
      const client = await connect()
      try {
        const { rows: [backend] } = await client.query('select pg_backend_pid() as pid') as { rows: [{ pid: number }] }
        // Behind a pooler the process that answers is not the one that the client was told of.
        isDirect = backend.pid === client.processID
      } finally {
        client.release()
      }
    },

    named: (text, values): unknown => isDirect && typeof text === 'string' && keptTexts.has(text)
      ? { name: nameOf(text), text, values } satisfies NamedStatement
      : text,

    note (client, error) {
      const { code } = propertiesOf(error)
      if (!stale.includes(code)) return
      staleClients.add(client)
      // A pooler that was not known for one: the connection was somebody else's meanwhile.
      if (code !== staleCodes.changedPlan) isDirect = false
    },

    isStale: (client) => staleClients.has(client),
  }
}
