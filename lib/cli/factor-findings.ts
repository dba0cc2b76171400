import type { Opened } from '../database/open.ts'
import { fromRow, selectFrom } from '../database/statement.ts'
import { forkOf } from '../database/transactions.ts'
import { Totp } from '../features/totp/entity.ts'
import type { Settings } from '../settings.ts'
import { createPublicUsers } from '../users/public-user.ts'
import { User } from '../users/entity.ts'
import type { Finding } from './finding.ts'

/** No more users are looked at: who has a rule for more of them knows it by now. */
const mostUsers = 1000

/** What is wrong with the second factors that there are, and with those that are not. */
export async function factorFindings ({ orm }: Pick<Opened, 'orm'>, settings: Settings): Promise<Finding[]> {
  if (!settings.hasFactors) return []
  return [...await unreadable(orm, settings), ...await unprotected(orm, settings)]
}

async function unreadable (orm: Opened['orm'], { sealKeys }: Settings): Promise<Finding[]> {
  const keyId = { $nin: sealKeys.map(({ id }) => id) }
  const count = await forkOf(orm).count(Totp, { keyId }, { connectionType: 'write' })
  if (count === 0) return []
  return [{
    level: 'error',
    finding: `Seeds of authenticator apps are encrypted with a key that is not there: ${count}. ` +
      'Their codes are answered with 503.',
    remedy: 'Put the key back into encryptionKey, behind the first one, and run `fastify-jwt-accounts keys reseal`.',
  }]
}

/** Whoever knows the password of such a user first sets up the factor. */
async function unprotected (orm: Opened['orm'], settings: Settings): Promise<Finding[]> {
  const { requiresFactor } = settings
  if (!requiresFactor) return []
  const { of } = createPublicUsers(settings)
  const em = forkOf(orm)
  const rows = await selectFrom<object>(em, User).select('*').where({ mfaAt: null, disabledAt: null })
    .orderBy({ id: 'desc' }).limit(mostUsers).execute('all', false)
  const count = rows.filter((row) => requiresFactor(of(fromRow(em, User, row)))).length
  if (count === 0) return []
  return [{
    level: 'warning',
    finding: `Users need a second factor and have none: ${count}. Whoever has their password first sets one up.`,
    remedy: 'Have them sign in and set one up; `fastify-jwt-accounts user factors USER` shows who has.',
  }]
}
