import { eachWithDeadline } from '../../http/deadline.ts'
import type { Client } from '../../http/request.ts'
import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { Throttled } from '../throttle/errors.ts'
import type { Limits } from '../throttle/limits.ts'
import { createKeyDoor, type Door } from './door.ts'
import { createEndAlso, createFollower } from './ending.ts'
import { createKeyTexts, type KeyTexts } from './key-text.ts'
import { createKnownKeys } from './known-keys.ts'
import { createLastUses } from './last-uses.ts'
import { createManaging, type Managing } from './managing.ts'
import type { KeySettings } from './options.ts'
import { ownKeys } from './own-keys.ts'
import { createRows } from './rows.ts'
import { shownKey } from './schema.ts'
import { createKeyServices, type KeyServices } from './services.ts'

/** What other features do with API keys. */
export interface ApiKeys extends Pick<KeyTexts, 'isMeant'>, Pick<Managing, 'revoke'>, Pick<Door, 'inspect'> {
  /**
   * Ends the key of this text, for whoever has it.
   * @throws {TokenInvalid | TokenExpired | TokenRevoked} for one that is not good
   */
  revokeText: (text: string, client?: Client) => Promise<void>
  /** The keys of a user that are good, as their owner sees them. */
  shownOf: (userId: string) => Promise<object[]>
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

  const door = createKeyDoor({ spine, texts, known, uses, throttle }, settings)
  guards.keyAccess.door = door
  openapi.keyErrors.push(Throttled)
  sessions.followers.push(createFollower(spine, known))
  sessions.endings.also.push(createEndAlso(rows))

  return {
    face: {
      isMeant: texts.isMeant,
      inspect: door.inspect,
      revoke: managing.revoke,
      async revokeText (text, client) {
        const { id, userId } = await known.read(text)
        await managing.revoke(userId, id, { client })
      },
      shownOf: async (userId) => (await database.run((em) => rows.livingOf(em, userId))).map(shownKey),
    },
    services: { keys: eachWithDeadline(createKeyServices(spine, { rows, managing }, settings)) },
    routes: { keys: ownKeys(spine, { rows, managing }, settings) },
    close: uses.close,
  }
}
