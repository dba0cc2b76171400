import type { FastifyBaseLogger } from 'fastify'
import type { AccountsOptions } from '../options.ts'

/** Hooks that are told of what has happened, and have no say in it. */
type Told = Omit<Required<NonNullable<AccountsOptions['hooks']>>, 'onRegister' | 'onSession'>

/** What the settings say of those hooks. */
export interface HookSettings {
  hooks: Partial<Told>
}

export interface Hooks {
  /** Tells a hook of what is stored by now. The answer does not wait for it, and one that fails is logged. */
  tell: <Name extends keyof Told>(name: Name, ...told: Parameters<Told[Name]>) => void
}

export function createHooks ({ hooks }: HookSettings, log: FastifyBaseLogger): Hooks {
  return {
    tell (name, ...told) {
      const hook = hooks[name] as ((...told: unknown[]) => unknown) | undefined
      if (!hook) return
      // Copies: what is told of may still be on its way into the answer.
      const telling = async () => { await hook(...structuredClone(told)) }
      telling().catch((error) => log.error(error, `The hook ${name} failed`))
    },
  }
}
