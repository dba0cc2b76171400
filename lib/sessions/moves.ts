import { raw } from '@mikro-orm/core'
import type { Database } from '../database/database.ts'
import { named } from '../database/statement.ts'
import { Session } from './entity.ts'
import type { RotationPolicy } from './rotation.ts'

/** No generation that a lost commit has given out is that far ahead: after a floor none of them is good again. */
const floorStep = 1000

/**
 * Where a floor was lost between two generations, since no rotations go as far: it was this one or a higher one, and tokens
 * from before it are void. Undefined where there was none.
 */
export function leastFloor (from: number, to: number): number | undefined {
  const floors = Math.floor((to - from) / floorStep)
  return floors > 0 ? from + floors * floorStep : undefined
}

/**
 * The ways a session moves on, each a compare-and-swap: it changes the row as it was read, and else none. A name that begins
 * with `was` stands for what was read, and the others for what is written.
 */
export function createMoves ({ statement }: Pick<Database, 'statement'>, { replay }: Pick<RotationPolicy, 'replay'>) {
  const asRead = { id: 'id', gen: 'wasGen', revokedAt: null }
  const unseen = replay === 'until-confirmed' && { confirmedGen: { $lt: 'wasGen' } }
  const nextLife = ['gen', 'answeredAt', 'refreshExpiresAt', 'lastUsedAt', 'ip', 'userAgent']
  const adopted = ['gen', 'prevGen', 'prevBranch', 'answeredAt', 'refreshExpiresAt']

  const move = (written: string[], where: object = {}) =>
    statement(({ query }) => query(Session).update(named(written)).where({ ...asRead, ...where }))

  return {
    rotate: move([...nextLife, 'prevGen', 'prevBranch', 'confirmedGen']),
    /** What is taken for lost must not have been given to anybody meanwhile. */
    skip: move(nextLife, { prevGen: 'wasPrevGen', answeredAt: 'wasAnsweredAt', ...unseen }),
    adopt: move(adopted),
    /** What has no parent was made by a floor; what is far ahead comes after one. */
    adoptFloor: move([...adopted, 'floorGen']),
    repeat: move(['answeredAt'], { ...unseen, answeredAt: { $lt: 'answeredAt' } }),
  }
}

/** A floor, see `floor.ts`. In this order: MySQL and MariaDB assign from left to right, and `gen` would be the new one. */
export function createFloorMove ({ statement }: Pick<Database, 'statement'>) {
  const raised = { floorGen: raw(`gen + ${floorStep}`), gen: raw(`gen + ${floorStep}`), prevGen: null, prevBranch: null }
  const written = named(['authTime', 'answeredAt', 'lastUsedAt', 'ip', 'userAgent'])
  return statement(({ query }) => query(Session).update({ ...raised, ...written }).where({ id: 'id', revokedAt: null, floorGen: { $lte: 'shownGen' } }))
}
