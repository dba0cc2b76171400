import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Offer, Usage } from './servers/offer.ts'

/** A server in a process of its own. */
export interface Server {
  offer: Offer
  usage: () => Promise<Usage>
  /** Has the server do one of its acts, and waits for it. */
  act: (name: string) => Promise<any>
  stop: () => void
}

/** Starts a file of `servers/`, with its arguments. */
export async function start (name: string, ...args: (string | number)[]): Promise<Server> {
  const child = fork(join(import.meta.dirname, 'servers', `${name}.ts`), args.map(String), {
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const exited = once(child, 'exit').then(([code]) => {
    throw new Error(`The server ${name} ${args.join(' ')} ended with ${code}`)
  })
  exited.catch(() => {})
  const said = async () => (await Promise.race([once(child, 'message'), exited]))[0]
  const offer: Offer = await said()
  async function act (name: string) {
    child.send(name)
    return said()
  }

  return { offer, act, usage: () => act('usage'), stop: () => { child.kill() } }
}
