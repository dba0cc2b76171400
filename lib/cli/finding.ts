import type { AccountsOptions } from '../../types/options.ts'
import type { Settings } from '../settings.ts'

/** Something in a configuration that is wrong, weak or worth a thought. */
export interface Finding {
  level: 'error' | 'warning' | 'remark'
  finding: string
  remedy: string
}

/** A configuration: the options as they were given, with the environment, and as they are filled. */
export interface Subject {
  given: AccountsOptions
  settings: Settings
  /** Whether it is that of production. */
  isLive?: boolean
}

/** What is looked for in a configuration, and what is said where it is found. */
export type Check = [
  level: Finding['level'], applies: (subject: Subject) => boolean | undefined, finding: string, remedy: string
]
