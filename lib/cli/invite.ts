import { isPlainObject } from '../checks/plain-object.ts'
import { defineCommand } from './command.ts'
import { Refused, UsageWrong } from './errors.ts'
import { moment } from './table.ts'
import { targetFlags, withAccounts } from './target.ts'

export const invite = defineCommand({
  name: 'user invite',
  takes: 'EMAIL',
  summary: 'Invites somebody by mail, which the app sends. An address that is already invited gets the same ' +
    'invitation again.',
  flags: {
    role: { type: 'string', value: 'ROLE', multiple: true, summary: 'a role to be; may be given several times' },
    message: { type: 'string', value: 'TEXT', summary: 'a personal message in the mail' },
    data: { type: 'string', value: 'JSON', summary: 'data for onInvitationAccepted, as a JSON object' },
    ...targetFlags,
  },
  run ([email], { role: roles = [], message, data, ...target }) {
    const more = { ...message !== undefined && { message }, ...data !== undefined && { data: readData(data) } }
    return withAccounts(target, async ({ invitations }, { mail, routes }) => {
      if (!mail?.links.invite || routes.invitations === undefined) {
        throw new Refused('Invitations are off in these options, which need mail, mail.links.invite and ' +
          'routes.invitations: name those of the app with --config')
      }
      const began = new Date()
      const invitation = await invitations.create({ email: email!, roles, ...more })
      const isNew = invitation.createdAt >= began
      if (!isNew) {
        if (Object.keys(more).length > 0 || invitation.roles.join() !== roles.join()) {
          throw new Refused(`${invitation.email} is invited already, ${asWhat(invitation.roles)}: withdraw that first`)
        }
        await invitations.send(invitation.id)
      }
      const what = `${isNew ? 'is invited' : 'is invited once more'}, ${asWhat(invitation.roles)}`
      return {
        result: { ...invitation, isNew },
        text: `${invitation.email} ${what}, until ${moment(invitation.expiresAt)}: the app sends the mail.`,
      }
    })
  },
})

function asWhat (roles: string[]): string {
  return roles.length === 0 ? 'without a role' : `as ${roles.join(', ')}`
}

function readData (text: string): Record<string, unknown> {
  try {
    const data: unknown = JSON.parse(text)
    if (isPlainObject(data)) return data as Record<string, unknown>
  } catch {}
  throw new UsageWrong('--data is a JSON object')
}
