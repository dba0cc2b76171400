// On each database.
import * as argon2 from 'argon2'
import t from 'tap'
import type { PasswordHasher } from '../../../lib/index.ts'
import { build, buildOnFile, password } from '../../support/build.ts'

const weak = { memoryCost: 1024, timeCost: 1, parallelism: 1 }
const strong = { ...weak, timeCost: 2 }

t.test('a password that is changed while a login makes its hash stronger stays changed', async (t) => {
  const { db, sql, signUp } = await buildOnFile(t, { password: { argon2: weak } })
  await signUp()
  const hashOf = async () => (await sql.get('select password_hash as hash from accounts_users'))!.hash
  const before = await hashOf()
  const changed = await argon2.hash('another horse battery staple', strong)

  let meanwhile = async () => {}
  const hasher: PasswordHasher = {
    async hash (text) {
      await meanwhile()
      return argon2.hash(text, strong)
    },
    verify: (hash, text) => argon2.verify(hash, text),
    needsRehash: (hash) => argon2.needsRehash(hash, strong),
  }
  const { post, app } = await build(t, { db, password: { hasher } })
  meanwhile = () => sql.run('update accounts_users set password_hash = ?', changed)
  await post('/auth/login', { username: 'ada', password })
  t.equal(await hashOf(), changed)
  t.not(await hashOf(), before)

  meanwhile = async () => {}
  t.notOk(await app.accounts.users.verifyPassword('ada', password))
  t.ok(await app.accounts.users.verifyPassword('ada', 'another horse battery staple'))
})

t.test('a login makes the hash stronger once the cost is raised', async (t) => {
  const { db, sql, signUp } = await buildOnFile(t, { password: { argon2: weak } })
  await signUp()
  const { signIn } = await build(t, { db, password: { argon2: strong } })
  await signIn()
  t.match((await sql.get('select password_hash as hash from accounts_users'))!.hash, /\$m=1024,t=2,p=1\$/)
  t.match(await signIn(), { access_token: /./ })
})
