import { OptionalKind, Type, type TSchema } from '@sinclair/typebox'
import { readUsername } from '../../users/identifiers.ts'
import type { Profile } from '../../users/fields.ts'
import type { Spine } from '../spine.ts'
import { unlessInvalid, type Person } from './person.ts'

/** What a provider has said for a new account, and what is missing of it. */
export interface Candidate {
  username: string | undefined
  email: string | undefined
  profile: Profile
  /** The names of what a registration asks for beside. */
  missing: string[]
}

/** Reads what a provider says of somebody who is new. What no user could have is as if it were not said. */
export type ReadCandidate = (person: Person, withAddress: boolean) => Candidate

export function createReadCandidate (
  { input, settings: { identifiers }, users: { fields } }: Pick<Spine, 'input' | 'settings' | 'users'>
): ReadCandidate {
  const readers = Object.entries(fields.creation).map(([name, schema]) => {
    const One = Type.Object({ [name]: Type.Optional(schema) }, { additionalProperties: false })
    return [name, input.reader(One, 'whole')] as const
  })
  const needed = Object.entries(fields.registration).filter(([, schema]) => isNeeded(schema)).map(([name]) => name)

  function usernameIn (value: unknown): string | undefined {
    return typeof value === 'string' ? unlessInvalid(() => readUsername(value)) : undefined
  }

  return ({ fields: said, email }, withAddress) => {
    const profile: Profile = {}
    // Without a value, or in place of one that is none, there may be a default.
    for (const [name, read] of readers) {
      Object.assign(profile, unlessInvalid(() => read({ [name]: said[name] })) ?? read({}))
    }
    const username = identifiers.includes('username') ? usernameIn(said.username) : undefined
    const missing = needed.filter((name) => profile[name] === undefined)
    if (identifiers.includes('username') && username === undefined) missing.unshift('username')
    return { username, email: withAddress ? email : undefined, profile, missing }
  }
}

/** Whether a registration is refused without it. */
function isNeeded (schema: TSchema): boolean {
  return schema[OptionalKind] !== 'Optional' && !('default' in schema)
}
