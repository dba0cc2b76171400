import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

/** What a client has sent to a server, command by command: the first byte of PostgreSQL's, the number of MariaDB's. */
export interface Command {
  connection: number
  kind: string
  /** Of a command that holds a statement. */
  text: string
  bytes: Buffer
}

/** A wire to a database that hears what a client asks, as the server gets it. */
export async function listenIn (t: Test, db: string) {
  const target = new URL(db)
  const sent: Buffer[][] = []
  const sockets = new Set<Socket>()

  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname)
    const chunks: Buffer[] = []
    sent.push(chunks)
    near.on('data', (data) => { chunks.push(data); far.write(data) })
    far.on('data', (data) => near.write(data))
    for (const [one, other] of [[near, far], [far, near]] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => other.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { for (const socket of sockets) socket.destroy(); server.close() })

  const url = new URL(db)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const read = url.protocol === 'postgresql:' ? readPostgresql : readMariadb
  return {
    url: url.href,
    heard: (): Command[] =>
      sent.flatMap((chunks, connection) =>
        [...read(Buffer.concat(chunks))].map((command) => ({ connection, ...command }))
      ),
  }
}

/** Messages of the frontend, https://www.postgresql.org/docs/15/protocol-message-formats.html: Query and Parse hold statements. */
function * readPostgresql (bytes: Buffer) {
  // The first has no letter.
  for (let at = bytes.readInt32BE(0); at < bytes.length;) {
    const kind = String.fromCharCode(bytes[at]!)
    const message = bytes.subarray(at + 5, at + 1 + bytes.readInt32BE(at + 1))
    const strings = message.toString().split('\0')
    yield { kind, text: { Q: strings[0], P: strings[1] }[kind] ?? '', bytes: message }
    at += 1 + bytes.readInt32BE(at + 1)
  }
}

/** Packets of the client, https://mariadb.com/kb/en/clientserver-protocol/: COM_QUERY and COM_STMT_PREPARE hold statements. */
function * readMariadb (bytes: Buffer) {
  for (let at = 0; at < bytes.length;) {
    const packet = bytes.subarray(at + 4, at + 4 + bytes.readUIntLE(at, 3))
    // A command is the first packet of its exchange; an answer to the server's greeting is not.
    if (bytes[at + 3] === 0) {
      const kind = { 3: 'query', 0x16: 'prepare', 0x17: 'execute', 0x19: 'close' }[packet[0]!] ?? 'other'
      yield { kind, text: kind === 'query' || kind === 'prepare' ? packet.toString('utf8', 1) : '', bytes: packet }
    }
    at += 4 + packet.length
  }
}
