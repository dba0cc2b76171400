import { raw, type EntityManager } from '@mikro-orm/core'
import { Session } from '../entities/session.ts'

/**
 * Notes that somebody is about to be given the current refresh token who has not shown the one before, and so may not
 * have got it yet. Once it was shown itself, its window is fixed.
 */
export async function noteAnswer (em: EntityManager, id: string): Promise<void> {
  const now = new Date()
  const isUnseen = { id, revokedAt: null, confirmedGen: { $lt: raw<number>('gen') }, answeredAt: { $lt: now } }
  await em.nativeUpdate(Session, isUnseen, { answeredAt: now })
}
