import { raw } from '@mikro-orm/core'
import type { Database } from '../database/database.ts'
import { named } from '../database/statement.ts'
import { Session } from './entity.ts'
import type { RotationPolicy } from './rotation.ts'

/**
 * How far a floor raises the generation. If the database loses commits, tokens of later generations than the row's are
 * about, but never so many generations later: so none of them is good again after a floor.
 */
const floorStep = 1000

/**
 * The least floor that the database must have lost for a session at generation `from` to have given out a token of
 * generation `to`: rotations alone do not come that far. Undefined where they do.
 */
export function leastFloor (from: number, to: number): number | undefined {
  const floors = Math.floor((to - from) / floorStep)
  return floors > 0 ? from + floors * floorStep : undefined
}

/**
 * The ways in which a session moves on. Each is a compare-and-swap: it changes the row only if it is still as it was
 * read. Names that begin with `was` stand for values that were read, the others for values that are written.
 */
export function createMoves ({ statement }: Pick<Database, 'statement'>, { replay }: Pick<RotationPolicy, 'replay'>) {
  const asRead = { id: 'id', gen: 'wasGen', revokedAt: null }
  const unseen = replay === 'until-confirmed' && { confirmedGen: { $lt: 'wasGen' } }
  const nextLife = ['gen', 'answeredAt', 'refreshExpiresAt', 'expiresDay', 'lastUsedAt', 'ip', 'userAgent']
  const adopted = ['gen', 'prevGen', 'prevBranch', 'answeredAt', 'refreshExpiresAt', 'expiresDay']

  const move = (written: string[], where: object = {}) =>
    statement(({ query }) => query(Session).update(named(written)).where({ ...asRead, ...where }))

  return {
    rotate: move([...nextLife, 'prevGen', 'prevBranch', 'confirmedGen']),
    /** Only if nobody has been given the answer meanwhile that is taken for lost. */
    skip: move(nextLife, { prevGen: 'wasPrevGen', answeredAt: 'wasAnsweredAt', ...unseen }),
    adopt: move(adopted),
    /**
     * For a token without a parent, which a floor has made, and for one so far ahead that there was a floor between.
     */
    adoptFloor: move([...adopted, 'floorGen']),
    repeat: move(['answeredAt'], { ...unseen, answeredAt: { $lt: 'answeredAt' } }),
  }
}

/**
 * The statements that raise the floor of a session (`RaiseFloor`). `floorGen` comes before `gen`, since MySQL and
 * MariaDB assign from left to right, and it would be made of the new `gen`.
 */
export function createFloorMoves ({ statement }: Pick<Database, 'statement'>) {
  const next = () => raw(`gen + ${floorStep}`)
  const condition = { id: 'id', revokedAt: null, floorGen: { $lte: 'shownGen' } }
  const written = ['answeredAt', 'lastUsedAt', 'ip', 'userAgent']
  const move = (written: string[], json: object = {}) => statement(({ query }) => {
    const raised = { floorGen: next(), gen: next(), prevGen: null, prevBranch: null }
    return query(Session).update({ ...raised, ...named(written), ...json }).where(condition)
  })

  return {
    raise: move(['authTime', ...written]),
    /** With the level that was proved. */
    raiseProved: move(['authTime', ...written, 'acr'], { amr: raw('?', ['amr']) }),
    /** As old a proof as before. */
    raiseUnproved: move(written),
  }
}
