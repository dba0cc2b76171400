import type { AccountsServices, ManagedUser, NewUser } from '../../types/index.ts'
import { defineCommand, type Answer } from './command.ts'
import { NotFound, UsageWrong } from './errors.ts'
import { newPassword, passwordFlags } from './password.ts'
import { moment, table } from './table.ts'
import { targetFlags, withAccounts } from './target.ts'

const add = defineCommand({
  name: 'user add',
  takes: 'NAME|EMAIL',
  summary: 'Creates a user, with a password from the terminal or from standard input.',
  flags: {
    service: { type: 'boolean', summary: 'an account for a program, without a password: give it keys by key create' },
    email: { type: 'string', value: 'EMAIL', summary: 'an address in addition to the name' },
    role: { type: 'string', value: 'ROLE', multiple: true, summary: 'a role; may be given several times' },
    field: {
      type: 'string',
      value: 'FIELD=VALUE',
      multiple: true,
      summary: 'a field of user.fields, as JSON or as text; may be given several times',
    },
    ...passwordFlags,
    ...targetFlags,
  },
  async run ([who], { email, role: roles = [], field: fields = [], generate, service, ...target }, io) {
    const isService = service === true
    if (isService && (generate || email !== undefined || who!.includes('@'))) {
      throw new UsageWrong('A service account has a name, and neither an address nor a password')
    }
    const own = Object.fromEntries(fields.map(readField))
    const names = who!.includes('@') ? { email: who! } : { username: who!, ...email !== undefined && { email } }
    return withAccounts(target, async ({ users }) => {
      if (isService) {
        const made = await users.create({ ...own, kind: 'service', username: who!, roles } satisfies NewUser)
        return told(made, 'was created')
      }
      const password = await newPassword({ generate: generate === true }, io)
      const user = await users.create({ ...own, ...names, roles, password } satisfies NewUser)
      return told(user, 'was created', generate ? password : undefined)
    })
  },
})

const list = defineCommand({
  name: 'user list',
  summary: 'Lists users, the newest first.',
  flags: {
    limit: { type: 'string', value: 'NUMBER', summary: 'how many, up to 100; by default 50' },
    after: { type: 'string', value: 'ID', summary: 'those after this one: the next of the previous page' },
    ...targetFlags,
  },
  run: (_, { limit, after, ...target }) =>
    withAccounts(target, async ({ users }) => {
      const page = await users.list({
        ...(limit !== undefined && { limit: Number(limit) }),
        ...(after !== undefined && { after }),
      })
      const rows = page.users.map((user) => [
        user.id,
        user.username ?? '–',
        user.email ?? '–',
        user.roles.join(' ') || '–',
        stateOf(user),
        moment(user.lastLoginAt),
      ])
      const shown = table([['id', 'username', 'email', 'roles', 'state', 'last login'], ...rows])
      return { result: page, text: page.next ? `${shown}\n\nThere are more: --after ${page.next}` : shown }
    }),
})

const disable = change(
  'disable',
  'Disables a user, and ends all sessions.',
  'is disabled',
  (users, { id }) => users.disable(id)
)
const enable = change('enable', 'Enables a disabled user. Ended sessions stay ended.', 'is enabled', (users, { id }) =>
  users.enable(id)
)
const remove = change('delete', 'Deletes a user with all sessions, permanently.', 'is deleted', async (users, user) => {
  await users.delete(user.id)
  return user
})

const password = defineCommand({
  name: 'user password',
  takes: 'USER',
  summary: 'Sets the password of a user, from the terminal or from standard input, and ends all sessions.',
  flags: { ...passwordFlags, ...targetFlags },
  run: ([who], { generate, ...target }, io) => withAccounts(target, async ({ users }) => {
    const { id } = await find(users, who!)
    const next = await newPassword({ generate: generate === true }, io)
    return told(await users.setPassword(id, next), 'has a new password', generate ? next : undefined)
  }),
})

const roles = defineCommand({
  name: 'user roles',
  takes: 'USER ROLE…',
  summary: 'Replaces the roles of a user.',
  flags: {
    none: { type: 'boolean', summary: 'removes all roles' },
    ...targetFlags,
  },
  run ([who, ...wanted], { none = false, ...target }) {
    if (none !== (wanted.length === 0)) throw new UsageWrong('user roles needs roles, or --none to remove all')
    return withAccounts(target, async ({ users }) => {
      const user = await users.setRoles((await find(users, who!)).id, wanted)
      return told(user, none ? 'has no roles' : `has the roles ${user.roles.join(', ')}`)
    })
  },
})

export const user = [add, list, disable, enable, remove, password, roles]

type Users = AccountsServices['users']

function change (
  verb: string,
  summary: string,
  done: string,
  act: (users: Users, user: ManagedUser) => Promise<ManagedUser>
) {
  return defineCommand({
    name: `user ${verb}`,
    takes: 'USER',
    summary,
    flags: targetFlags,
    run: ([who], target) =>
      withAccounts(target, async ({ users }) => told(await act(users, await find(users, who!)), done)),
  })
}

/**
 * By id, name or address.
 * @throws {NotFound}
 */
export async function find (users: Users, who: string): Promise<ManagedUser> {
  const user = await users.find(who)
  if (!user) throw new NotFound('user: fastify-jwt-accounts user list shows who there is')
  return user
}

/** A password is told where it was made here, and nowhere else. */
export function told (user: ManagedUser, what: string, made?: string): Answer {
  return {
    result: made === undefined ? user : { ...user, password: made },
    text: `${nameOf(user)} (${user.id}) ${what}.${made === undefined ? '' : `\n${made}`}`,
  }
}

export function nameOf ({ username, email }: ManagedUser): string {
  return (username ?? email)!
}

function stateOf ({ disabledAt, closesAt, resetDueAt }: ManagedUser): string {
  if (disabledAt) return 'disabled'
  if (closesAt) return 'closing'
  return resetDueAt ? 'reset due' : 'enabled'
}

function readField (text: string): [name: string, value: unknown] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (name === undefined) throw new UsageWrong('--field is a name, = and a value')
  try {
    return [name, JSON.parse(value!)]
  } catch {
    return [name, value]
  }
}
