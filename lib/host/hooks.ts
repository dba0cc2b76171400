import type { FastifyBaseLogger } from 'fastify'

/** Functions of the host's, by name, that are called after something has happened and cannot change it. */
type Observers = { [name: string]: (...told: never[]) => unknown }

/**
 * For each hook that there is a function that calls it with what is stored by now. The answer does not wait for it, and
 * one that fails is logged.
 */
export type Telling<Hooks extends Observers> = {
  [Name in keyof Hooks]?: (...told: Parameters<Hooks[Name]>) => void
}

export function createHooks<Hooks extends Observers> (hooks: Partial<Hooks>, log: FastifyBaseLogger): Telling<Hooks> {
  const telling: Telling<Hooks> = {}
  for (const name of Object.keys(hooks) as (keyof Hooks & string)[]) {
    const hook = hooks[name]!
    telling[name] = (...told) => {
      // Copies, since the answer may still be made of the originals.
      const call = async () => { await hook(...structuredClone(told)) }
      call().catch((error) => log.error(error, `The hook ${name} failed`))
    }
  }
  return telling
}
