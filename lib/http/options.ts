import { Type } from '@sinclair/typebox'
import { path } from '../checks/kinds.ts'
import { settled, type Filled } from '../checks/slice.ts'

/** The name of accounts that are given none. */
const usualName = 'accounts'

/** True for accounts under the usual name, whose cookies, components and decorators then go without one. */
export function isUnnamed (name: string): boolean {
  return name === usualName
}

export const options = {
  prefix: Type.String({ ...path('/auth', true), default: '/auth', description: 'The path prefix of every route.' }),
  name: Type.String({
    pattern: '^[a-z][a-z0-9_]{0,30}$',
    default: usualName,
    description: 'The name of `app[name]`, the tables, the cookies and the default audience: one for each kind of ' +
      'users.',
  }),
  realm: Type.Optional(Type.String({
    pattern: '^[ !#-[\\]-~]{1,100}$', usual: 'the name', description: 'The realm of challenges.',
  })),
}

/** What the settings say of where the accounts are, and who they say they are. */
export type HttpSettings = ReturnType<typeof read>

export function read (given: Filled<typeof options>) {
  return { realm: given.name, ...settled(options, given) }
}
