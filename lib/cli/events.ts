import type { EventInfo } from '../../types/index.ts'
import { isId } from '../tokens/claims.ts'
import { defineCommand } from './command.ts'
import { UsageWrong } from './errors.ts'
import { moment, table } from './table.ts'
import { targetFlags, withAccounts } from './target.ts'
import { find } from './user.ts'

/** The events of accounts, as the service `events.list` gives them. */
export const events = defineCommand({
  name: 'events',
  summary: 'Lists the stored events, the newest first.',
  flags: {
    user: { type: 'string', value: 'USER', summary: 'those that happened to this user' },
    actor: { type: 'string', value: 'USER', summary: 'those that this user did to another' },
    type: { type: 'string', value: 'TYPE', summary: 'the name of a channel, such as login' },
    since: { type: 'string', value: 'TIME', summary: 'a date, a time with its zone, or how long ago, such as 2d' },
    limit: { type: 'string', value: 'NUMBER', summary: 'how many, up to 100; by default 50' },
    after: { type: 'string', value: 'ID', summary: 'those after this one: the next of the previous page' },
    ...targetFlags,
  },
  async run (_, { user, actor, type, since, limit, after, ...target }) {
    const afterTime = since === undefined ? undefined : await timeOf(since)
    return withAccounts(target, async ({ users, events }) => {
      // Of a user who is deleted there is an id alone.
      const idOf = async (who: string) => isId(who) ? who : (await find(users, who)).id
      const page = await events.list({
        ...user !== undefined && { user: await idOf(user) },
        ...actor !== undefined && { actor: await idOf(actor) },
        ...type !== undefined && { type },
        ...afterTime && { afterTime },
        ...limit !== undefined && { limit: Number(limit) },
        ...after !== undefined && { after },
      })
      const shown = table([['time', 'type', 'user', 'actor', 'reason', 'ip', 'seal'], ...page.events.map(rowOf)])
      return { result: page, text: page.next ? `${shown}\n\nThere are more: --after ${page.next}` : shown }
    })
  },
})

function rowOf ({ createdAt, type, userId, actorId, reason, ip, seal }: EventInfo): string[] {
  return [moment(createdAt), type, ...[userId, actorId, reason, ip, seal].map((value) => String(value ?? '–'))]
}

/** With seconds or without, in UTC unless it says otherwise; or so long before now. */
async function timeOf (text: string): Promise<Date> {
  const { inSeconds, isDuration } = await import('./plugin.ts')
  if (isDuration(text)) return new Date(Date.now() - inSeconds(text) * 1000)
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
  const time = new Date(isTime ? text : NaN)
  if (Number.isNaN(time.getTime())) {
    throw new UsageWrong('--since is a date, a time such as 2026-01-31T08:00:00Z, or a duration such as 2d')
  }
  return time
}
