import type { EntityClass, EntityManager } from '@mikro-orm/core'

/**
 * A row of the driver's, with the names and types of the entity. It is plain data, no managed entity, so to change it
 * stores nothing. Unlike the ORM it does not fail on a value that only somebody in the database can have written, such
 * as a date that is none: our rules decide what that means.
 */
export function fromRow<Entity extends object> (em: EntityManager, entity: EntityClass<Entity>, row: object): Entity {
  const meta = em.getMetadata().get(entity)
  const mapped = em.getDriver().mapResult<Entity>(row, meta)!
  for (const { name, customType } of meta.props) {
    if (customType) mapped[name] = customType.convertToJSValue(mapped[name], em.getPlatform()) as never
  }
  return mapped as Entity
}
