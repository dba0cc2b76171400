import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Offer, Usage } from './servers/offer.ts'

/** A server in a process of its own. */
export interface Server {
  offer: Offer
  usage: () => Promise<Usage>
  stop: () => void
}

/** Starts a file of `servers/`, with its arguments. */
export async function start (name: string, ...args: (string | number)[]): Promise<Server> {
  const child = fork(join(import.meta.dirname, 'servers', `${name}.ts`), args.map(String), { env: { ...process.env, NODE_ENV: 'production' } })
  const exited = once(child, 'exit').then(([code]) => { throw new Error(`The server ${name} ${args.join(' ')} ended with ${code}`) })
  exited.catch(() => {})
  const said = async () => (await Promise.race([once(child, 'message'), exited]))[0]

  return {
    offer: await said(),
    async usage () {
      child.send({})
      return said()
    },
    stop: () => { child.kill() },
  }
}
