import { isPlainObject } from '../checks/plain-object.ts'

/**
 * The names of members of data, at any depth, that tell of a person. They can be erased, and no seal is broken by it:
 * the chain holds a MAC in their place.
 */
export const personalNames: readonly string[] = ['ip', 'userAgent', 'address', 'text']

interface Parts {
  /** What tells of a person, and where it stands. */
  personal: [path: string, value: unknown][]
  /** All else, with the members of objects in the order of their names: databases keep no order. */
  others: unknown
}

/** Parts data into what can be erased and what cannot. */
export function partsOf (data: unknown): Parts {
  const personal: Parts['personal'] = []

  function walk (value: unknown, path: string): unknown {
    if (Array.isArray(value)) return value.map((each, index) => walk(each, `${path}/${index}`))
    if (!isPlainObject(value)) return value
    const members = Object.entries(value).toSorted(([one], [other]) => one < other ? -1 : 1)
    for (const [name, each] of members.filter(([name]) => personalNames.includes(name))) {
      personal.push([`${path}/${name}`, each])
    }
    return members.filter(([name]) => !personalNames.includes(name))
      .map(([name, each]) => [name, walk(each, `${path}/${name}`)])
  }

  return { others: walk(data, ''), personal }
}

/** The data without what tells of a person: null stands in its place. */
export function withoutPersonal (data: object): object {
  return JSON.parse(JSON.stringify(data, (name, value) => personalNames.includes(name) ? null : value))
}
