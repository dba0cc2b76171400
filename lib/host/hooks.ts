import type { FastifyBaseLogger } from 'fastify'

/** Functions of the host's, by name, that are told of what has happened and have no say in it. */
type Told = { [name: string]: (...told: never[]) => unknown }

export interface Telling<Hooks extends Told> {
  /** Tells a hook of what is stored by now. The answer does not wait for it, and one that fails is logged. */
  tell: <Name extends keyof Hooks>(name: Name, ...told: Parameters<Hooks[Name]>) => void
}

export function createHooks<Hooks extends Told> (hooks: Partial<Hooks>, log: FastifyBaseLogger): Telling<Hooks> {
  return {
    tell (name, ...told) {
      const hook = hooks[name]
      if (!hook) return
      // Copies: what is told of may still be on its way into the answer.
      const telling = async () => { await hook(...structuredClone(told)) }
      telling().catch((error) => log.error(error, `The hook ${String(name)} failed`))
    },
  }
}
