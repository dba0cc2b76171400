import type { EntityClass, EntityManager } from '@mikro-orm/core'

/**
 * What a row holds, as the driver gives it, with the names and types of the entity: data alone, which nobody can store by
 * changing it. As the ORM reads it, but that what only a hand in the database can have written is taken for what it is:
 * our rules decide what a date that is none means.
 */
export function fromRow<Entity extends object> (em: EntityManager, entity: EntityClass<Entity>, row: object): Entity {
  const meta = em.getMetadata().get(entity)
  const mapped = em.getDriver().mapResult<Entity>(row, meta)!
  for (const { name, customType } of meta.props) {
    if (customType) mapped[name] = customType.convertToJSValue(mapped[name], em.getPlatform()) as never
  }
  return mapped as Entity
}
