import { isPart, mapParts, partsOf, type Part } from './schema-parts.ts'

/** Keywords whose schemas apply to the very value that the schema around them applies to. */
const applicators = ['allOf', 'not', 'if', 'then', 'else', 'dependencies', 'dependentSchemas']
const alternatives = ['anyOf', 'oneOf']

/**
 * What in the schema of a field makes it impossible to know which members are unknown or `readOnly`, at any depth;
 * undefined if nothing does. A member may be `readOnly` only where each value has one place for it: in objects within
 * objects, not in a list.
 */
export function faultOf (field: Part): string | undefined {
  const { unique = false } = field
  if (typeof unique !== 'boolean') return 'has a unique that is neither true nor false'
  if (unique && !isScalar(field)) return 'is unique, so it must be a text, a number or a boolean'
  return faultIn(field, !refers(field))
}

function isScalar ({ type, anyOf }: Part): boolean {
  if (Array.isArray(anyOf)) return anyOf.every(isScalar)
  return [type].flat().every((each) => ['string', 'number', 'integer', 'boolean', 'null'].includes(each as string))
}

function faultIn (schema: Part, mayHoldReadOnly: boolean): string | undefined {
  for (const [keyword, part] of partsOf(schema)) {
    const isMember = mayHoldReadOnly && keyword === 'properties' && isClosed(schema)
    if ('unique' in part) return 'has unique within it, where only a field as a whole can be'
    if (part.readOnly && !isMember) {
      return 'has readOnly elsewhere than at members of objects that list all their members'
    }
    if (appliesInPlace(schema, keyword) && (listsMembers(part) || refers(part))) {
      return `lists members of one object in several schemas (${keyword}): ` +
        'list them in one, such as Type.Composite makes'
    }
    const fault = faultIn(part, isMember)
    if (fault) return fault
  }
}

/** True for a keyword whose schemas would list members of an object that `schema` lists members of. */
function appliesInPlace (schema: Part, keyword: string): boolean {
  return applicators.includes(keyword) || (alternatives.includes(keyword) && isList(schema))
}

function isClosed (schema: Part): boolean {
  return schema.type === 'object' && !('patternProperties' in schema) && !schema.additionalProperties
}

/** True for the schema of objects that says by name which members there are. */
function isList (schema: Part): boolean {
  return 'properties' in schema || 'patternProperties' in schema
}

function listsMembers (schema: Part): boolean {
  return isList(schema) || partsOf(schema).some(([, part]) => listsMembers(part))
}

function refers (schema: Part): boolean {
  return '$ref' in schema || partsOf(schema).some(([, part]) => refers(part))
}

/** True where something within the field is only read. */
export function holdsReadOnly (field: Part): boolean {
  return partsOf(field).some(([, part]) => Boolean(part.readOnly) || holdsReadOnly(part))
}

/** The field as its users write it: at every depth what is only read is left out, and what is not listed is refused. */
export function forUsers<Schema extends Part> (field: Schema): Schema {
  return written(field, () => undefined)
}

/** The field as code gives it to a new user. What is only read may be left out. */
export function forCode<Schema extends Part> (field: Schema): Schema {
  return written(field, (part) => part)
}

/** The field as code changes it. What is only read may be left out, and null takes it away where it may be missing. */
export function forChangeByCode<Schema extends Part> (field: Schema): Schema {
  return written(field, (part, isRequired) => isRequired ? part : { anyOf: [part, { type: 'null' }] })
}

function written<Schema extends Part> (
  schema: Schema, readOnly: (part: Part, isRequired: boolean) => Part | undefined
): Schema {
  const inner = mapParts(schema, (part) => written(part, readOnly))
  if (!isList(inner)) return inner as Schema

  const { properties = {}, required = [] } = inner as { properties?: Record<string, Part>, required?: string[] }
  const members = Object.entries(properties).map(([name, part]) =>
    [name, part.readOnly ? readOnly(part, required.includes(name)) : part])
  const { required: _, ...rest } = inner
  const stillRequired = required.filter((name) => !properties[name]?.readOnly)
  return {
    additionalProperties: false,
    ...rest,
    ...members.length > 0 && { properties: Object.fromEntries(members.filter(([, part]) => part !== undefined)) },
    ...stillRequired.length > 0 && { required: stillRequired },
  } as unknown as Schema
}

/** The field as it is shown: a value may be older than a member, so none is required, and none has a default. */
export function forReaders<Schema extends Part> ({ default: _, unique: _unique, ...field }: Schema): Schema {
  if (!isPart(field.properties)) return field as unknown as Schema
  const { required: _required, properties, ...rest } = field
  const members = Object.entries(properties).map(([name, part]) => [name, isPart(part) ? forReaders(part) : part])
  return { ...rest, properties: Object.fromEntries(members) } as unknown as Schema
}

/**
 * A new value of a field, with its `readOnly` members: as given, else as they were, else their defaults. Null takes
 * away one that may be missing, and of an object that is left out its `readOnly` members stay.
 */
export function withReadOnly (field: Part, value: unknown, before: unknown): unknown {
  if (!isPart(field.properties) || !isPart(value)) return value
  const { properties, required = [] } = field as { properties: Record<string, Part>, required?: string[] }
  const whole = { ...value }

  for (const [name, part] of Object.entries(properties)) {
    const was = isPart(before) && Object.hasOwn(before, name) ? before[name] : undefined
    const isGiven = Object.hasOwn(value, name)
    if (part.readOnly) {
      const kept = isGiven ? value[name] : was ?? structuredClone(part.default)
      whole[name] = kept === null && !required.includes(name) ? undefined : kept
    } else if (isGiven) {
      whole[name] = withReadOnly(part, value[name], was)
    } else if (isPart(was)) {
      const inner = withReadOnly(part, {}, was)
      whole[name] = isEmpty(inner) ? undefined : inner
    }
  }
  return Object.fromEntries(Object.entries(whole).filter(([, inner]) => inner !== undefined))
}

function isEmpty (value: unknown): boolean {
  return isPart(value) && Object.keys(value).length === 0
}
