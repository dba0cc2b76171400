import t from 'tap'
import { failMail, flushMail } from '../../lib/testing.ts'
import { buildOnFile, password } from '../support/build.ts'
import { cli, json } from './cli.ts'

t.test('who looks after an app sees what has become of its mails, and has one sent again', async (t) => {
  const { app, db, post } = await buildOnFile(t, { mail: true, email: { verification: 'none' } })
  const given = { cwd: t.testdir({}), env: { ACCOUNTS_DATABASE_URL: db } }
  t.match(await cli(['mail', 'list'], given), { code: 0, stdout: /^id +kind +address +state +tries +error +written$/ })

  await post('/auth/register', { username: 'ada', email: 'ada@example.com', password })
  await post('/auth/password/forgot', { username: 'ada' })
  await flushMail(app)
  failMail(app, Object.assign(new Error('No'), { permanent: true, code: 'EENVELOPE' }))
  await post('/auth/password/forgot', { username: 'ada' })
  await flushMail(app)

  t.match(await cli(['mail', 'list', '--limit', '1'], given), { code: 0, stdout: /There are more: --after \S+$/ })
  const { mails: [failed] } = await json(['mail', 'list', '--state', 'failed'], given)
  t.match(failed, { kind: 'reset', address: 'ada@example.com', state: 'failed', error: 'EENVELOPE' })
  const page = await json(['mail', 'list', '--after', failed.id], given)
  t.match(page, { mails: [{ state: 'sent', error: null }], next: null })
  t.match(await cli(['mail', 'show', failed.id], given), { code: 0, stdout: /^error +EENVELOPE\n[^]*^dueAt +–$/m })

  t.match(await cli(['mail', 'retry', failed.id], given), { code: 0, stdout: `The mail ${failed.id} is due now.` })
  await flushMail(app)
  t.match(await json(['mail', 'show', failed.id], given), { state: 'sent', tries: 1 })
  t.match(await json(['mail', 'retry', failed.id], given), { code: 1, error: { message: /could be sent/ } })
})

t.test('of a mail whose recipient is not looked up yet there is no address', async (t) => {
  const { db, post } = await buildOnFile(t, { mail: { worker: false } })
  const given = { cwd: t.testdir({}), env: { ACCOUNTS_DATABASE_URL: db } }
  await post('/auth/password/forgot', { username: 'nobody' })
  t.match(await cli(['mail', 'list'], given), { code: 0, stdout: / reset +– +due +0 +– / })
})

t.test('a mail that is not there is said to be none, and a state that is none to be wrong', async (t) => {
  const { db } = await buildOnFile(t, { mail: true })
  const given = { cwd: t.testdir({}), env: { ACCOUNTS_DATABASE_URL: db } }
  const id = '01a228c1-67c1-7366-adb1-e9f8f41409e0'
  t.match(await json(['mail', 'show', id], given), { code: 1, error: { code: 'ACCOUNTS_NOT_FOUND' } })
  t.match(await json(['mail', 'retry', id], given), { code: 1, error: { message: /no such mail that could be sent/ } })
  t.match(await cli(['mail', 'list', '--state', 'lost'], given), { code: 2, stderr: '--state is one of due, sent, failed' })
  t.match(await json(['mail', 'list', '--after', 'x'], given), { code: 1, error: { code: 'ACCOUNTS_INPUT_INVALID' } })
})

t.test('with the options of an app that sends mails, nothing is sent here', async (t) => {
  const { db } = await buildOnFile(t, { mail: true })
  const cwd = t.testdir({
    'options.mjs': "export default { mail: { send () { throw new Error('sent') }, " +
    "from: 'accounts@example.com', appName: 'Example' } }"
  })
  t.match(await json(['mail', 'list', '--db', db, '--config', 'options.mjs'], { cwd }), { mails: [], next: null })
})
