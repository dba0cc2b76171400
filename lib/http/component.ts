import type { TSchema } from '@sinclair/typebox'
import { isPart, mapParts, type Part } from '../checks/schema-parts.ts'
import { isUnnamed } from './options.ts'

/** What @fastify/swagger makes, as far as we write into it. */
export interface OpenapiDocument {
  openapi: string
  components: { schemas: Record<string, object>, securitySchemes?: Record<string, object> }
  tags?: { name: string, description?: string }[]
}

const givenName = Symbol('name of a component')

/** The schema under a name of its own in the document. It validates and serializes as before. */
export function component<Schema extends TSchema> (name: string, schema: Schema): Schema {
  return { ...schema, [givenName]: name }
}

/** The name of a component, operation or scheme of these accounts: in one document those of several must differ. */
export function ownName (instance: string, name: string): string {
  return isUnnamed(instance) ? name : `${instance}${name[0]!.toUpperCase()}${name.slice(1)}`
}

/** Puts schemas that have a name into a document once, and a reference wherever they stand. */
export interface Components {
  /** The schema as it stands in this document, with a reference for each schema in it that has a name. */
  write: (document: OpenapiDocument, schema: object) => Part
}

/**
 * @fastify/swagger lets nobody name a component: what `addSchema` is given is called `def-0` there. And it no longer
 * converts to the document's version of OpenAPI what is put in while the document is made, so that is done here.
 */
export function createComponents (instance: string): Components {
  const namesIn = new WeakMap<OpenapiDocument, Map<string, string>>()

  function place (document: OpenapiDocument, name: string, schema: Part): Part {
    const schemas = document.components.schemas
    const names = namesIn.get(document) ?? new Map<string, string>()
    namesIn.set(document, names)

    if (!names.has(name)) {
      const free = freeName(ownName(instance, name), schemas)
      // First the name: a recursive schema holds itself.
      names.set(name, free)
      schemas[free] = {}
      Object.assign(schemas[free], writeParts(document, schema))
    }
    return { $ref: `#/components/schemas/${names.get(name)}` }
  }

  function write (document: OpenapiDocument, schema: object): Part {
    const { [givenName]: given, $id, $ref, headers: _, ...parts } = schema as Part & { [givenName]?: string }
    const name = given ?? $id ?? $ref
    if (name === undefined) return writeParts(document, parts)
    return place(document, String(name).replaceAll(/[^\w.-]/g, '_'), parts)
  }

  function writeParts (document: OpenapiDocument, schema: Part): Part {
    // Object.entries leaves out what TypeBox keeps under symbols.
    const written = Object.fromEntries(Object.entries(mapParts(schema, (part) => write(document, part))))
    return inVersion(document.openapi, written)
  }

  return { write }
}

/** A name that the app has not given to a schema of its own. */
function freeName (name: string, taken: object): string {
  return Object.hasOwn(taken, name) ? freeName(`Accounts${name}`, taken) : name
}

/** As @fastify/swagger writes a schema: without `const`, which OpenAPI 3.0 does not have. */
function inVersion (version: string, { const: only, patternProperties, ...schema }: Part): Part {
  const common = {
    ...schema,
    ...only !== undefined && { enum: [only] },
    ...isPart(patternProperties) && { additionalProperties: Object.values(patternProperties)[0] },
  }
  return version.startsWith('3.0') ? inVersion30(common) : common
}

/** OpenAPI 3.0 has one example, one type and no null; it says `nullable` of a type. */
function inVersion30 ({ examples, ...schema }: Part & { examples?: unknown[], anyOf?: Part[] }): Part {
  const { type, anyOf, ...others }: Part & { anyOf?: Part[] } = { ...schema, ...examples && { example: examples[0] } }
  if (type === 'null') return { ...others, type: 'object', nullable: true, enum: [null] }
  if (Array.isArray(type)) return inVersion30({ ...others, anyOf: type.map((each) => inVersion30({ type: each })) })
  if (!anyOf) return type === undefined ? others : { type, ...others }

  const [only, ...more] = anyOf.filter((member) => !isNull(member))
  const isNullable = more.length === 0 && anyOf.length > 1 && only?.type !== undefined
  return isNullable ? { ...only, ...others, nullable: true } : { ...others, anyOf, ...type !== undefined && { type } }
}

function isNull ({ nullable, enum: values }: Part): boolean {
  return nullable === true && Array.isArray(values) && values.length === 1 && values[0] === null
}
