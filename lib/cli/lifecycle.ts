import { defineCommand } from './command.ts'
import { Refused } from './errors.ts'
import { moment } from './table.ts'
import { targetFlags, withAccounts } from './target.ts'
import { find, nameOf, told } from './user.ts'

const verifyEmail = defineCommand({
  name: 'user verify-email',
  takes: 'USER',
  summary: 'Marks the address of a user as verified, if you know it to be theirs, or has the app ask them.',
  flags: {
    ask: { type: 'boolean', summary: 'sends them a mail to verify it themselves' },
    ...targetFlags,
  },
  run: ([who], { ask = false, ...target }) => withAccounts(target, async (accounts, { mail, routes }) => {
    if (ask && !(mail && routes.verifyEmail !== undefined)) {
      throw new Refused(offWithout('Mails that verify addresses', 'mail and routes.verifyEmail'))
    }
    const user = await find(accounts.users, who!)
    const { id, email, email_verified: isVerified } = user
    if (email === null) throw new Refused(`${nameOf(user)} has no address`)
    if (!ask) return told(await accounts.users.verifyEmail(id, email), `has the verified address ${email}`)
    if (isVerified) throw new Refused(`${email} is verified already`)
    if (user.disabledAt || user.closesAt) throw new Refused(`${nameOf(user)} gets no mail: ${stateOf(user)}`)
    await accounts.mail.send('verify', id)
    return told(user, `is asked to verify ${email}: the app sends the mail`)
  }),
})

const requireReset = defineCommand({
  name: 'user require-reset',
  takes: 'USER',
  summary: 'Forces a user to choose a new password, by a mail that the app sends, and ends all sessions.',
  flags: targetFlags,
  run: ([who], target) => withAccounts(target, async ({ users }, { mail, routes }) => {
    if (!mail || routes.resetPassword === undefined) {
      throw new Refused(offWithout('Mails for another password', 'mail and routes.resetPassword'))
    }
    const user = await users.requireReset((await find(users, who!)).id)
    const isTold = !user.disabledAt && !user.closesAt
    const what = isTold ? `the app sends a mail to ${user.email}` : `there is no mail, since ${stateOf(user)}`
    return told(user, `has to choose another password: ${what}`)
  }),
})

const close = defineCommand({
  name: 'user close',
  takes: 'USER',
  summary: 'Closes an account, which is deleted after closing.grace, and ends all sessions.',
  flags: targetFlags,
  run: ([who], target) => withAccounts(target, async ({ users }, { closing }) => {
    if (closing.graceSeconds === 0) {
      throw new Refused(`${offWithout('A grace', 'closing.grace')}. user delete deletes at once`)
    }
    const user = await find(users, who!)
    if (user.closesAt) throw new Refused(`${nameOf(user)} ${goesOn(user.closesAt)} already`)
    const closesAt = (await users.close(user.id))!
    return told({ ...user, closesAt }, goesOn(closesAt))
  }),
})

const restore = defineCommand({
  name: 'user restore',
  takes: 'USER',
  summary: 'Restores an account that is scheduled for deletion.',
  flags: targetFlags,
  run: ([who], target) => withAccounts(target, async ({ users }) => {
    const user = await find(users, who!)
    if (!user.closesAt) throw new Refused(`${nameOf(user)} is not going to be deleted`)
    return told(await users.restore(user.id), 'stays')
  }),
})

export const lifecycle = [verifyEmail, requireReset, close, restore]

function offWithout (what: string, options: string): string {
  return `${what} is off in these options, which need ${options}: name those of the app with --config`
}

function goesOn (closesAt: Date): string {
  return `is going to be deleted at ${moment(closesAt)}`
}

function stateOf ({ disabledAt }: { disabledAt: Date | null }): string {
  return disabledAt ? 'they are disabled' : 'the account is going to be deleted'
}
