import { defineCommand } from './command.ts'
import { NotFound } from './errors.ts'
import { moment, table } from './table.ts'
import { targetFlags, withAccounts } from './target.ts'
import { find } from './user.ts'

const listAs = (name: string) => defineCommand({
  name,
  takes: 'USER',
  summary: 'Lists the active sessions of a user, the most recently used first.',
  flags: targetFlags,
  run: ([who], target) =>
    withAccounts(target, async ({ users, sessions }) => {
      const found = await sessions.list((await find(users, who!)).id)
      const rows = found.map(({ id, createdAt, lastUsedAt, expiresAt, ip, userAgent }) => [
        id,
        moment(createdAt),
        moment(lastUsedAt),
        moment(expiresAt),
        ip ?? '–',
        userAgent ?? '–',
      ])
      return {
        result: { sessions: found },
        text: table([['id', 'began', 'last used', 'expires', 'address', 'user agent'], ...rows]),
      }
    }),
})

const revoke = defineCommand({
  name: 'sessions revoke',
  takes: 'SESSION',
  summary: 'Ends a session and all its tokens.',
  flags: targetFlags,
  run: ([id], target) => withAccounts(target, async ({ sessions }) => {
    if (!await sessions.revoke(id!)) throw new NotFound('active session')
    return { result: { revoked: id }, text: `The session ${id} is over.` }
  }),
})

const revokeAll = defineCommand({
  name: 'sessions revoke-all',
  takes: 'USER',
  summary: 'Ends all sessions of a user.',
  flags: targetFlags,
  run: ([who], target) => withAccounts(target, async ({ users, sessions }) => {
    const { id, username, email } = await find(users, who!)
    await sessions.revokeAll(id)
    return { result: { user: id }, text: `All sessions of ${username ?? email} (${id}) are over.` }
  }),
})

/** By the user, and with what is done to sessions. */
export const userSessions = listAs('user sessions')

export const sessions = [listAs('sessions list'), revoke, revokeAll]
