import { defineCommand } from './command.ts'
import { moment, table } from './table.ts'
import { targetFlags, withAccounts } from './target.ts'
import { find } from './user.ts'

/** For accounts whose options are not given: what is stored of passkeys does not depend on them. */
const somewhere = { origins: ['https://example.com'] }

export const passkeys = defineCommand({
  name: 'user passkeys',
  takes: 'USER',
  summary: 'Lists the passkeys of a user, or removes a lost one and ends all sessions.',
  flags: {
    delete: { type: 'string', value: 'ID', summary: 'the one to remove' },
    ...targetFlags,
  },
  run: ([who], { delete: id, ...target }) => withAccounts(target, async ({ users, passkeys }) => {
    const user = await find(users, who!)
    if (id !== undefined) {
      await passkeys.delete(user.id, id)
      return { result: { deleted: id }, text: `The passkey ${id} is gone, and all sessions of the user are over.` }
    }
    const found = await passkeys.list(user.id)
    const rows = found.map(({ id, name, createdAt, lastUsedAt, synced, rpId }) =>
      [id, name, moment(createdAt), moment(lastUsedAt), synced ? 'yes' : 'no', rpId])
    return {
      result: { passkeys: found },
      text: table([['id', 'name', 'added', 'last used', 'synced', 'domain'], ...rows]),
    }
  }, ({ passkeys }) => passkeys ? {} : { passkeys: somewhere }),
})
