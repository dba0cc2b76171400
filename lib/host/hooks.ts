import type { FastifyBaseLogger } from 'fastify'

/** Functions of the host's, by name, that are called after something has happened and cannot change it. */
type Observers = { [name: string]: (...told: never[]) => unknown }

export interface Telling<Hooks extends Observers> {
  /** Calls a hook with what is stored by now. The answer does not wait for it, and one that fails is logged. */
  tell: <Name extends keyof Hooks>(name: Name, ...told: Parameters<Hooks[Name]>) => void
}

export function createHooks<Hooks extends Observers> (hooks: Partial<Hooks>, log: FastifyBaseLogger): Telling<Hooks> {
  return {
    tell (name, ...told) {
      const hook = hooks[name]
      if (!hook) return
      // Copies, since the answer may still be made of the originals.
      const telling = async () => { await hook(...structuredClone(told)) }
      telling().catch((error) => log.error(error, `The hook ${String(name)} failed`))
    },
  }
}
