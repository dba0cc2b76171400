// In a process of its own: it looks at every statement of it.
import Database from 'better-sqlite3'
import t from 'tap'
import { build, password } from '../support/build.ts'
import { buildWithMail } from '../support/mail.ts'

const statements: string[] = []
const client = new Database(':memory:')
const prototype = Object.getPrototypeOf(client.prepare('select 1'))
client.close()
for (const name of ['run', 'all', 'get', 'iterate']) {
  const usual = prototype[name]
  prototype[name] = function (...given: unknown[]) {
    // What each process asks once a second belongs to no request.
    if (!this.source.includes('accounts_revoked_tokens')) statements.push(this.source)
    return usual.apply(this, given)
  }
}

t.test('a request for a mail is answered by the same bytes after the same statements, whoever there is', async (t) => {
  const { app, post, signUpWithMail } = await buildWithMail(t, {
    mail: { worker: false, links: { login: '/welcome' } }, throttle: {}, routes: { emailLogin: true },
  })
  await signUpWithMail()
  await signUpWithMail('eve')
  await app.accounts.users.disable((await app.accounts.users.find('eve'))!.id)
  await signUpWithMail('eva')
  await app.accounts.users.delete((await app.accounts.users.find('eva'))!.id)

  for (const path of ['/auth/password/forgot', '/auth/login/email']) {
    const seen: object[] = []
    for (const name of ['nobody', 'nobody', 'ada', 'eve', 'eva', 'no address', 'ada']) {
      statements.length = 0
      const { statusCode, headers, body } = await post(path, { email: `${name}@example.com` })
      const { date, ...rest } = headers
      const { challenge_id: challenge, ...answer } = JSON.parse(body)
      t.equal(statusCode, 202)
      seen.push({ rest, answer, length: challenge.length, statements: [...statements] })
    }
    // The first of a network makes its row.
    const [, ...later] = seen
    for (const one of later) t.strictSame(one, later[0])
    t.notMatch(statements.join(), /select.*accounts_users/)
  }
})

t.test('a proof that does not hold is answered by the same bytes, whatever the reason', async (t) => {
  const { app, mails, post, signUpWithMail } = await buildWithMail(t)
  const { user } = await signUpWithMail()
  const { challenge_id: challenge } = (await post('/auth/password/forgot', { username: 'ada' })).json()
  const mail = await mails.next('reset')
  const another = (id: string) => id.replace(/^./, (first) => first === '_' ? '-' : '_')
  const spare = (await post('/auth/password/forgot', { username: 'nobody' })).json().challenge_id
  const reset = (proof: object) => post('/auth/password/reset', { ...proof, new_password: 'another long password' })
  const answers = [
    await reset({ token: `${'A'.repeat(22)}.${'A'.repeat(43)}` }),
    await reset({ token: 'x' }),
    await reset({ token: mails.token(mail).replace(/.$/, (last) => last === 'A' ? 'E' : 'A') }),
    await reset({ challenge_id: challenge, code: '0' }),
    await reset({ challenge_id: spare, code: mails.code(mail) }),
    await reset({ challenge_id: another(challenge), code: mails.code(mail) }),
  ]
  await app.accounts.users.disable(user.id)
  answers.push(await reset({ token: mails.token(mail) }))
  answers.push(await reset({ challenge_id: challenge, code: mails.code(mail) }))
  for (const { statusCode, headers, body } of answers) {
    t.equal(statusCode, 400)
    t.strictSame({ ...headers, date: '' }, { ...answers[0]!.headers, date: '' })
    t.equal(body, answers[0]!.body)
  }
})

t.test('a guarded route asks the database nothing, with mails as without', async (t) => {
  for (const mail of [true, false] as const) {
    const { get, post } = await build(t, { mail })
    const { access_token: token } = (await post('/auth/register', {
      username: 'ada', email: 'ada@example.com', password,
    })).json()
    t.equal((await get('/guarded', token)).statusCode, 200)
    statements.length = 0
    t.equal((await get('/guarded', token)).statusCode, 200)
    t.same(statements, [])
  }
})
