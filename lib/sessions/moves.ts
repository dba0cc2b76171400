import type { Database } from '../database.ts'
import { named } from '../databases/statement.ts'
import { Session } from '../entities/session.ts'
import type { RotationPolicy } from './rotation.ts'

/**
 * The ways a session moves on, each a compare-and-swap: it changes the row as it was read, and else none. A name that begins
 * with `was` stands for what was read, and the others for what is written.
 */
export function createMoves ({ statement }: Database, { replay }: Pick<RotationPolicy, 'replay'>) {
  const asRead = { id: 'id', gen: 'wasGen', revokedAt: null }
  const unseen = { confirmedGen: { $lt: 'wasGen' } }
  const nextLife = ['gen', 'rotatedAt', 'answeredAt', 'lastUsedAt', 'refreshExpiresAt']

  const move = (written: string[], where: object = {}) =>
    statement(({ query }) => query(Session).update(named(written)).where({ ...asRead, ...where }))

  return {
    rotate: move([...nextLife, 'prevGen', 'confirmedGen']),
    /** What is taken for lost must not have been given to anybody meanwhile. */
    skip: move(nextLife, { prevGen: 'wasPrevGen', answeredAt: 'wasAnsweredAt', ...replay === 'until-confirmed' && unseen }),
    adopt: move(['gen', 'prevGen', 'rotatedAt', 'answeredAt', 'refreshExpiresAt']),
    repeat: move(['answeredAt'], { ...unseen, answeredAt: { $lt: 'answeredAt' } }),
  }
}
