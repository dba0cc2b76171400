import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Ending } from './process.ts'

/** Stands between a process and its database, and can part them. */
export interface Proxy {
  /** The same database, by way of this proxy. */
  url: string
  /** Closes what is connected and refuses what comes. */
  refuse: () => void
  /** Takes everything and passes nothing on, in either direction, and tells nobody. */
  swallow: () => void
  /** Lets new connections through again. Those that were swallowed stay so, as behind a router that forgot them. */
  restore: () => Promise<void>
  /** Connects who comes from here on to this database. */
  pointTo: (db: string) => void
}

export async function startProxy (t: Ending, db: string): Promise<Proxy> {
  const url = new URL(db)
  let database = new URL(db)
  const sockets = new Set<Socket>()
  let swallows = false

  const server = createServer((client) => {
    const socket = swallows ? undefined : connect(Number(database.port), database.hostname)
    keep(client, socket)
    if (socket) keep(socket, client)
  })

  function keep (from: Socket, to: Socket | undefined): void {
    let isSwallowed = swallows
    sockets.add(from)
    from.on('swallow', () => { isSwallowed = true })
    from.on('data', (chunk) => { if (!isSwallowed) to!.write(chunk) })
    from.on('error', () => {})
    from.on('close', () => {
      sockets.delete(from)
      if (!isSwallowed) to!.destroy()
    })
  }

  async function listen (port: number): Promise<void> {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }

  function refuse (): void {
    server.close()
    for (const socket of sockets) socket.destroy()
  }

  await listen(0)
  t.teardown(async () => refuse())
  const { port } = server.address() as AddressInfo
  url.host = `127.0.0.1:${port}`

  return {
    url: url.href,
    refuse,
    swallow () {
      swallows = true
      for (const socket of sockets) socket.emit('swallow')
    },
    async restore () {
      swallows = false
      if (!server.listening) await listen(port)
    },
    pointTo (db) { database = new URL(db) },
  }
}
