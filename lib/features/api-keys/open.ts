import { eachWithDeadline } from '../../http/deadline.ts'
import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { Throttled } from '../throttle/errors.ts'
import type { Limits } from '../throttle/limits.ts'
import { createKeyDoor } from './door.ts'
import { createEndAlso, createFollower } from './ending.ts'
import { createKeyTexts, type KeyTexts } from './key-text.ts'
import { createKnownKeys, type KnownKeys } from './known-keys.ts'
import { createLastUses } from './last-uses.ts'
import { createManaging, type Managing } from './managing.ts'
import type { KeySettings } from './options.ts'
import { ownKeys } from './own-keys.ts'
import { createRows, type Rows } from './rows.ts'
import { createKeyServices, type KeyServices } from './services.ts'

/** What other features do with API keys. */
export interface ApiKeys {
  texts: Pick<KeyTexts, 'isMeant'>
  known: Pick<KnownKeys, 'read'>
  rows: Pick<Rows, 'livingOf'>
  managing: Managing
}

export async function open (
  spine: Spine, { apiKeys }: KeySettings, { throttle }: { throttle: Limits }
): Promise<Open<ApiKeys | undefined, { keys: KeyServices }>> {
  const { database, guards, log, openapi, sessions, settings: { access, leewaySeconds }, telemetry } = spine
  const settings = apiKeys!
  const texts = createKeyTexts(settings.prefix)
  const rows = createRows(database)
  const known = createKnownKeys({ database, rows, texts, counters: telemetry.counters }, { access, leewaySeconds })
  const uses = createLastUses(database, rows, log)
  const managing = createManaging(spine, { rows, texts }, settings)

  guards.keyAccess.door = createKeyDoor({ spine, texts, known, uses, throttle }, settings)
  openapi.keyErrors.push(Throttled)
  sessions.followers.push(createFollower(spine, known))
  sessions.endings.also.push(createEndAlso(rows))

  return {
    face: { texts, known, rows, managing },
    services: { keys: eachWithDeadline(createKeyServices(spine, { rows, managing }, settings)) },
    routes: { keys: ownKeys(spine, { rows, managing }, settings) },
    close: uses.close,
  }
}
