/** A JSON Schema, or a part of one. */
export type Part = Record<string, unknown>

/** The schema with each schema directly within it changed. Its symbols stay. */
export function mapParts (schema: Part, change: (part: Part, keyword: string) => Part): Part {
  const changeAny = (value: unknown, keyword: string): unknown => {
    if (Array.isArray(value)) return value.map((each) => changeAny(each, keyword))
    return isPart(value) ? change(value, keyword) : value
  }
  const changed = Object.entries(schema).map(([keyword, value]) => {
    if (keepsValues(keyword)) return [keyword, value]
    if (!isMap(keyword)) return [keyword, changeAny(value, keyword)]
    const named = Object.entries(value as Part).map(([name, part]) => [name, changeAny(part, keyword)])
    return [keyword, Object.fromEntries(named)]
  })
  return { ...schema, ...Object.fromEntries(changed) }
}

/** Each schema directly within a schema, after the keyword that it stands under. */
export function partsOf (schema: Part): [keyword: string, part: Part][] {
  const parts: [string, Part][] = []
  mapParts(schema, (part, keyword) => {
    parts.push([keyword, part])
    return part
  })
  return parts
}

export function isPart (value: unknown): value is Part {
  return typeof value === 'object' && value !== null
}

/** Keywords that hold schemas by names, which may be those of keywords. */
function isMap (keyword: string): boolean {
  return ['properties', 'patternProperties', '$defs', 'definitions'].includes(keyword)
}

/** Keywords that hold no schemas, whatever their values look like. */
function keepsValues (keyword: string): boolean {
  return ['const', 'default', 'enum', 'examples'].includes(keyword)
}
