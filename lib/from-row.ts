import type { EntityClass, EntityManager } from '@mikro-orm/core'

/**
 * The entity that a row holds, as the driver gives it. As `em.map`, but that it takes what only a hand in the database
 * can have written for what it is: our rules decide what a date that is none means.
 */
export function fromRow<Entity extends object> (em: EntityManager, entity: EntityClass<Entity>, row: object): Entity {
  const mapped = em.getDriver().mapResult(row, em.getMetadata().get(entity))!
  return em.merge(entity, mapped as never, { convertCustomTypes: true, refresh: true, validate: false })
}
