import t, { type Test } from 'tap'
import { flushMail, outbox } from '../../lib/testing.ts'
import type { AccountsOptions } from '../../lib/index.ts'
import { buildOnFile, password } from '../support/build.ts'
import { cli, json } from './cli.ts'

const on = {
  closing: { grace: '30d' },
  mail: { links: { invite: '/invite' } },
  routes: { invitations: true },
  email: { verification: 'none' },
} satisfies AccountsOptions

/** Of files, each of which Node loads once. */
let count = 0

/** An app that runs, with mails, and a command line on its database, whose `config` is the options of the app. */
async function beside (t: Test, config: object = on) {
  const built = await buildOnFile(t, on)
  const file = `options-${++count}.mjs`
  const cwd = t.testdir({ [file]: `export default ${JSON.stringify(config)}` })
  const env = { ACCOUNTS_DATABASE_URL: built.db }
  const login = async () =>
    (await built.post('/auth/login', { username: 'ada', password })).json() as Record<string, unknown>
  return {
    ...built,
    mails: outbox(built.app),
    login,
    given: { cwd, env },
    run: (...args: string[]) => cli([...args, '--config', file], { cwd, env }),
    runJson: (...args: string[]) => json([...args, '--config', file], { cwd, env }),
    /** Opens an account with an address. */
    signUpWithMail: async () =>
      (await built.post('/auth/register', { username: 'ada', email: 'ada@example.com', password })).json(),
  }
}

t.test('somebody is invited by a mail that the app sends, and comes in with the roles', async (t) => {
  const { run, runJson, mails, post, app } = await beside(t)
  const more = ['--role', 'staff', '--data', '{"team":7}', '--message', 'Join us <here>']
  const { code, stdout } = await run('user', 'invite', 'eve@example.com', ...more)
  t.equal(code, 0)
  t.match(stdout, /^eve@example\.com is invited, as staff, until \d{4}-\d\d-\d\d \d\d:\d\d UTC: the app sends the mail\.$/)
  const mail = await mails.next('invite')
  t.match(mail, { text: /Join us <here>/, html: /Join us &lt;here&gt;/ })
  const token = mails.token(mail)
  const accepted = await post('/auth/invitations/accept', { token, username: 'eve', password })
  t.equal(accepted.statusCode, 201)
  t.match(await app.accounts.users.find('eve'), { roles: ['staff'], email_verified: true })

  const invited = await runJson('user', 'invite', 'bob@example.com')
  t.match(invited, { code: 0, email: 'bob@example.com', roles: [], inviterId: null, isNew: true })
  t.match(await app.accounts.invitations.list(), { invitations: [{ id: invited.id }] })
})

t.test('who is invited already gets the same invitation once more, and no other one', async (t) => {
  const { run, runJson, mails, app } = await beside(t)
  const { id } = await runJson('user', 'invite', 'eve@example.com', '--role', 'staff')
  await mails.next('invite')
  t.match(await run('user', 'invite', 'Eve@example.com', '--role', 'staff'), {
    code: 0, stdout: /^eve@example\.com is invited once more, as staff, until /,
  })
  const due = await app.accounts.mail.list({ state: 'due' })
  t.match(due.mails, [{ kind: 'invite' }])
  for (const other of [[], ['--role', 'admin'], ['--role', 'staff', '--data', '{}'], ['--role', 'staff', '--message', 'x']]) {
    t.match(await runJson('user', 'invite', 'eve@example.com', ...other), {
      code: 1, error: { code: 'ACCOUNTS_REFUSED', message: /invited already, as staff: withdraw that first/ },
    })
  }
  t.match((await app.accounts.invitations.list()).invitations.map((each) => each.id), [id])
})

t.test('an invitation that nobody could accept is not made, nor one to what is no address', async (t) => {
  const { given, run, runJson } = await beside(t)
  t.match(await runJson('user', 'invite', 'eve'), { code: 1, error: { code: 'ACCOUNTS_INPUT_INVALID' } })
  for (const data of ['{', '[]', 'null', '"x"']) {
    t.match(await run('user', 'invite', 'eve@example.com', '--data', data), { code: 2, stderr: '--data is a JSON object' })
  }
  t.match(await json(['user', 'invite', 'eve@example.com'], given), {
    code: 1, error: { code: 'ACCOUNTS_REFUSED', message: /mail\.links\.invite and routes\.invitations.*--config/ },
  })
  for (const config of [{ mail: true }, { mail: { links: { invite: '/invite' } } }]) {
    const other = await beside(t, config)
    t.match(await other.runJson('user', 'invite', 'eve@example.com'), { code: 1, error: { message: /are off/ } })
  }
})

t.test('an address is taken for verified, or its owner is asked', async (t) => {
  const { run, runJson, mails, signUpWithMail, app, post, given } = await beside(t)
  const { user: { id } } = await signUpWithMail()
  t.match(await run('user', 'verify-email', 'ada', '--ask'), {
    code: 0, stdout: `ada (${id}) is asked to verify ada@example.com: the app sends the mail.`,
  })
  t.match(await app.accounts.users.find(id), { email_verified: false })
  const token = mails.token(await mails.next('verify'))
  t.equal((await post('/auth/email/verify', { token })).statusCode, 204)
  t.match(await runJson('user', 'verify-email', 'ada', '--ask'), {
    code: 1, error: { code: 'ACCOUNTS_REFUSED', message: 'ada@example.com is verified already' },
  })

  await app.accounts.users.update(id, { email: 'ada@example.org' })
  t.match(await cli(['user', 'verify-email', 'ada'], given), {
    code: 0, stdout: `ada (${id}) has the verified address ada@example.org.`,
  })
  t.match(await app.accounts.users.find(id), { email_verified: true })
})

t.test('who has no address, or gets no mail, is not asked', async (t) => {
  const { runJson, app, given, signUpWithMail } = await beside(t)
  await app.accounts.users.create({ username: 'eve' })
  t.match(await runJson('user', 'verify-email', 'eve'), { code: 1, error: { message: 'eve has no address' } })
  t.match(await runJson('user', 'verify-email', 'bob'), { code: 1, error: { code: 'ACCOUNTS_NOT_FOUND' } })
  const { user: { id } } = await signUpWithMail()
  t.match(await json(['user', 'verify-email', 'ada', '--ask'], given), {
    code: 1, error: { code: 'ACCOUNTS_REFUSED', message: /is off|are off/ },
  })
  await app.accounts.users.disable(id)
  t.match(await runJson('user', 'verify-email', 'ada', '--ask'), { error: { message: /gets no mail: they are disabled/ } })
  await app.accounts.users.enable(id)
  await app.accounts.users.close(id)
  t.match(await runJson('user', 'verify-email', 'ada', '--ask'), { error: { message: /is going to be deleted/ } })
})

t.test('a user has to choose another password, and gets the mail for it', async (t) => {
  const { run, runJson, mails, signUpWithMail, login, app, given } = await beside(t)
  const { user: { id } } = await signUpWithMail()
  t.match(await run('user', 'require-reset', 'ada'), {
    code: 0, stdout: `ada (${id}) has to choose another password: the app sends a mail to ada@example.com.`,
  })
  t.match(await login(), { code: 'ACCOUNTS_PASSWORD_RESET_REQUIRED' })
  t.equal((await mails.next('reset')).to.address, 'ada@example.com')
  t.match(await cli(['user', 'list'], given), { stdout: / reset due / })

  await app.accounts.users.disable(id)
  t.match(await run('user', 'require-reset', 'ada'), { code: 0, stdout: /there is no mail, since they are disabled\.$/ })
  await app.accounts.users.create({ username: 'eve' })
  t.match(await runJson('user', 'require-reset', 'eve'), { code: 1, error: { code: 'ACCOUNTS_EMAIL_MISSING' } })
  t.match(await runJson('user', 'require-reset', 'bob'), { code: 1, error: { code: 'ACCOUNTS_NOT_FOUND' } })
  t.match(await json(['user', 'require-reset', 'ada'], given), {
    code: 1, error: { code: 'ACCOUNTS_REFUSED', message: /mail and routes\.resetPassword.*--config/ },
  })
  const off = await beside(t, { mail: true, routes: { resetPassword: false } })
  t.match(await off.runJson('user', 'require-reset', 'ada'), { code: 1, error: { code: 'ACCOUNTS_REFUSED' } })
})

t.test('an account is closed for a while, and kept', async (t) => {
  const { run, runJson, signUpWithMail, login, app, given } = await beside(t)
  const { user: { id } } = await signUpWithMail()
  t.match(await runJson('user', 'restore', 'ada'), {
    code: 1, error: { code: 'ACCOUNTS_REFUSED', message: 'ada is not going to be deleted' },
  })
  const closed = await run('user', 'close', 'ada')
  t.equal(closed.code, 0)
  t.match(closed.stdout, new RegExp(`^ada \\(${id}\\) is going to be deleted at \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC\\.$`))
  t.match(await login(), { code: 'ACCOUNTS_CLOSING' })
  t.match(await runJson('user', 'close', 'ada'), {
    code: 1, error: { code: 'ACCOUNTS_REFUSED', message: /^ada is going to be deleted at .* already$/ },
  })
  t.match(await runJson('user', 'list'), { users: [{ closesAt: /Z$/ }] })
  t.match(await cli(['user', 'list'], given), { stdout: / closing / })

  t.match(await cli(['user', 'restore', 'ada'], given), { code: 0, stdout: `ada (${id}) stays.` })
  t.match(await login(), { access_token: /./ })
  t.match(await runJson('user', 'close', 'bob'), { code: 1, error: { code: 'ACCOUNTS_NOT_FOUND' } })
  t.match(await runJson('user', 'restore', 'bob'), { code: 1, error: { code: 'ACCOUNTS_NOT_FOUND' } })
  t.ok(await app.accounts.users.find(id))
})

t.test('without a grace nothing is closed: that would delete it at once', async (t) => {
  const { signUpWithMail, app, given } = await beside(t)
  const { user: { id } } = await signUpWithMail()
  t.match(await json(['user', 'close', 'ada'], given), {
    code: 1, error: { code: 'ACCOUNTS_REFUSED', message: /closing\.grace: .*--config\. user delete deletes at once/ },
  })
  t.match(await app.accounts.users.find(id), { closesAt: null })
})

t.test('the sessions of a user are listed by the user too', async (t) => {
  const { signUpWithMail, given, app } = await beside(t)
  await signUpWithMail()
  const listed = await json(['user', 'sessions', 'ada'], given)
  t.equal(listed.sessions.length, 1)
  t.same(listed, await json(['sessions', 'list', 'ada'], given))
  t.match(await json(['user', 'sessions', 'bob'], given), { code: 1, error: { code: 'ACCOUNTS_NOT_FOUND' } })
  await flushMail(app)
})
