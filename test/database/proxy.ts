import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import { settle, until } from '../support/waiting.ts'

/** A wire to a database that can be cut: with an end that tells, or without a word. */
export async function wireTo (t: Test, db: string) {
  const target = new URL(db)
  const sockets = new Set<Socket>()
  let wires = new Set<[near: Socket, far: Socket]>()
  let isSilent = false
  let isAway = false
  let delayMs = 0
  let trap: { pattern: RegExp, resolve: () => void } | undefined

  const server = createServer((near) => {
    if (isAway) return near.destroy()
    const far = connect(Number(target.port), target.hostname)
    const wire: [Socket, Socket] = [near, far]
    wires.add(wire)
    sockets.add(near).add(far)
    for (const [from, to] of [[near, far], [far, near]] as const) {
      from.on('data', (data) => {
        const pass = () => { if (!isSilent && wires.has(wire)) to.write(data) }
        if (delayMs > 0) setTimeout(pass, delayMs)
        else pass()
        if (!trap?.pattern.test(String(data))) return
        // It is done, and nobody is told.
        wires.delete(wire)
        trap.resolve()
        trap = undefined
      })
      from.on('error', () => {})
      from.on('close', () => { if (wires.delete(wire)) to.destroy() })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const end = () => sockets.forEach((socket) => socket.destroy())
  t.teardown(() => { end(); server.close() })

  const url = new URL(db)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  return {
    url: url.href,
    target: db,
    /** Nothing goes through any more, and nobody is told. What was connected then never hears again. */
    silence () {
      isSilent = true
      // Forgotten, but not closed: as behind a firewall that has lost its table.
      wires = new Set()
    },
    /** The connection that asks for this falls silent by that. */
    silenceAt (pattern: RegExp): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>()
      trap = { pattern, resolve }
      return promise
    },
    /** Whatever goes through takes so long, each way. */
    delay (ms: number) {
      delayMs = ms
    },
    /** New connections go through again. */
    speak () {
      isSilent = false
    },
    /** The server is gone, and everybody is told. */
    away () {
      isAway = true
      end()
    },
    back () {
      isAway = false
    },
    /** Every connection is reset, as by a server that crashed: its end comes as an error. */
    reset () {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    /**
     * Waits until what is done at the server has ended all that was connected before, and this process has heard of it.
     * A connection that is just being made the server does not know yet, so it is done again for that one.
     */
    async endedBy (act: () => Promise<unknown>): Promise<void> {
      let areGone: () => boolean
      do {
        const connected = [...wires]
        areGone = () => !connected.some((wire) => wires.has(wire))
        await act()
        await Promise.race([until(areGone), pause(1000)])
      } while (!areGone())
      await settle()
    },
  }
}
