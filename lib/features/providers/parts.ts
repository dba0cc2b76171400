import type { Spent } from '../../one-time/spent.ts'
import type { Registering } from '../register/open.ts'
import type { Spine } from '../spine.ts'
import type { Limits } from '../throttle/limits.ts'
import type { ProviderClient } from './client.ts'
import type { ProviderCounters } from './events.ts'
import type { ProviderSettings } from './options.ts'
import type { Rows } from './rows.ts'
import type { StoredTokens } from './stored-tokens.ts'

/** What the routes of other providers are made of. */
export interface ProviderParts {
  spine: Spine
  settings: ProviderSettings
  throttle: Limits
  register: Registering
  counters: ProviderCounters
  clients: ProviderClient[]
  rows: Rows
  spent: Spent
  stored: StoredTokens
}
