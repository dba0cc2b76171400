import type { Duration } from '../checks/durations.ts'
import { defineCommand } from './command.ts'
import { Refused, UsageWrong } from './errors.ts'
import { moment, table } from './table.ts'
import { targetFlags, withAccounts } from './target.ts'
import { find } from './user.ts'

type Target = Parameters<typeof withAccounts>[0]

/** Keys are looked at and ended also where no options tell of them. */
function withKeys<Result> (target: Target, work: Parameters<typeof withAccounts<Result>>[1]) {
  return withAccounts(target, work, ({ keys }) => keys ? {} : { keys: true })
}

const create = defineCommand({
  name: 'key create',
  takes: 'USER',
  summary: 'Makes an API key of a user, and prints it: nobody can see it again.',
  flags: {
    label: { type: 'string', value: 'NAME', summary: 'what its owner calls it; by default Command line' },
    scope: { type: 'string', value: 'SCOPE', multiple: true, summary: 'what it is for; may be given several times' },
    'expires-in': { type: 'string', value: 'DURATION', summary: 'how long it lives, such as 30d, or never' },
    ...targetFlags,
  },
  async run ([who], { label = 'Command line', scope: scopes = [], 'expires-in': life, ...target }) {
    const { isDuration } = await import('./plugin.ts')
    if (life !== undefined && life !== 'never' && !isDuration(life)) {
      throw new UsageWrong('--expires-in is a duration such as 30d, or never')
    }
    return withAccounts(target, async ({ keys, users }) => {
      if (!keys) {
        throw new Refused('API keys are off in these options, which need keys: name those of the app with --config')
      }
      const { id } = await find(users, who!)
      const expiresIn = life === 'never' ? null : life as Duration | undefined
      const made = await keys.create(id, { name: label, scopes, ...expiresIn !== undefined && { expiresIn } })
      return { result: made, text: made.key }
    })
  },
})

const list = defineCommand({
  name: 'key list',
  takes: 'USER',
  summary: 'Lists the API keys of a user that are good.',
  flags: targetFlags,
  run: ([who], target) => withKeys(target, async ({ keys, users }) => {
    const found = await keys.list((await find(users, who!)).id)
    const rows = found.map(({ id, name, hint, scopes, createdAt, expiresAt, lastUsedAt }) => {
      const times = [moment(createdAt), expiresAt ? moment(expiresAt) : 'never', moment(lastUsedAt)]
      return [id, name, `…${hint}`, scopes.join(' '), ...times]
    })
    return {
      result: { keys: found },
      text: table([['id', 'name', 'ends in', 'scopes', 'made', 'expires', 'last used'], ...rows]),
    }
  }),
})

const revoke = defineCommand({
  name: 'key revoke',
  takes: 'USER ID',
  summary: 'Ends an API key of a user.',
  flags: targetFlags,
  run: ([who, id], target) => withKeys(target, async ({ keys, users }) => {
    await keys.revoke((await find(users, who!)).id, id!)
    return { result: { revoked: id }, text: `The key ${id} opens nothing any more.` }
  }),
})

export const keyCommands = [create, list, revoke]
