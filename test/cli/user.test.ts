import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { buildOnFile, password } from '../support/build.ts'
import { freshDatabase } from '../support/databases.ts'
import { cli, json, spawned } from './cli.ts'

/** A folder, and a database with our tables in it. */
async function prepare (t: Test) {
  const surroundings = { cwd: t.testdir({}), env: { ACCOUNTS_DATABASE_URL: await freshDatabase(t) } }
  await cli(['migrate'], surroundings)
  return surroundings
}

t.test('a user lives from its making to its end', async (t) => {
  const given = await prepare(t)
  const added = await json(['user', 'add', 'ada', '--email', 'ada@example.com', '--role', 'admin', '--role', 'staff'], {
    ...given,
    input: `${password}\n`,
  })
  t.match(added, { code: 0, username: 'ada', email: 'ada@example.com', roles: ['admin', 'staff'], password: undefined })

  t.match(await cli(['user', 'roles', 'ada', 'staff'], given), {
    code: 0,
    stdout: `ada (${added.id}) has the roles staff.`,
  })
  t.match(await json(['user', 'roles', 'ada', '--none'], given), { roles: [] })
  t.match(await json(['user', 'disable', added.id], given), { disabledAt: /Z$/ })
  t.match(await cli(['user', 'list'], given), {
    stdout: new RegExp(`${added.id} +ada +ada@example.com +– +disabled +–`),
  })
  t.match(await json(['user', 'enable', 'ADA'], given), { disabledAt: null })
  t.match(await cli(['user', 'delete', 'ada@example.com'], given), { code: 0, stdout: `ada (${added.id}) is deleted.` })
  t.match(await json(['user', 'delete', 'ada'], given), { code: 1, error: { code: 'ACCOUNTS_NOT_FOUND' } })
})

t.test('a service account is made without a password', async (t) => {
  const given = await prepare(t)
  t.match(await json(['user', 'add', 'nightly', '--service', '--role', 'clerk'], given), {
    code: 0, kind: 'service', username: 'nightly', email: null, roles: ['clerk'], password: undefined,
  })
  for (const more of [['nightly', '--generate'], ['nightly', '--email', 'n@example.com'], ['n@example.com']]) {
    t.match(await cli(['user', 'add', '--service', ...more], given), { code: 2, stderr: /neither an address nor/ })
  }
})

t.test('users come in parts, the newest first', async (t) => {
  const given = await prepare(t)
  for (const name of ['ada', 'bob', 'eve@example.com']) await cli(['user', 'add', name, '--generate'], given)

  const first = await json(['user', 'list', '--limit', '2'], given)
  t.match(first.users, [{ username: null, email: 'eve@example.com' }, { username: 'bob' }])
  t.match((await json(['user', 'list', '--after', first.next], given)).users, [{ username: 'ada' }])
  t.match(await cli(['user', 'list', '--limit', '2'], given), {
    stdout: new RegExp(`– +eve@example.com +–[^]+There are more: --after ${first.next}$`),
  })
  t.match(await json(['user', 'list', '--limit', 'ten'], given), { code: 1, error: { code: 'ACCOUNTS_INPUT_INVALID' } })
})

t.test('a password that is piped in, or made, signs in, and stands nowhere else', async (t) => {
  const { app, db } = await buildOnFile(t)
  const given = { cwd: t.testdir({}), env: { ACCOUNTS_DATABASE_URL: db } }
  const signIn = async (username: string, password: string) =>
    (await app.inject({ method: 'POST', url: '/auth/login', payload: { username, password } })).statusCode

  const piped = await spawned(['user', 'add', 'ada@example.com'], { ...given, input: password })
  t.equal(await signIn('ada@example.com', password), 200)
  t.notMatch(piped.stdout + piped.stderr, password)

  const { stdout } = await spawned(['user', 'password', 'ada@example.com', '--generate'], given)
  t.equal(await signIn('ada@example.com', stdout.split('\n')[1]!), 200)
  t.equal(await signIn('ada@example.com', password), 401)

  t.match(await json(['user', 'password', 'ada@example.com'], { ...given, input: `${password} again\n` }), {
    code: 0,
    password: undefined,
  })
  t.equal(await signIn('ada@example.com', `${password} again`), 200)
})

t.test('what the plugin refuses is refused here', async (t) => {
  const given = await prepare(t)
  await cli(['user', 'add', 'ada', '--generate'], given)
  const codes = await Promise.all([
    json(['user', 'add', 'Ada', '--generate'], given),
    json(['user', 'add', 'bob'], { ...given, input: 'short' }),
    json(['user', 'add', 'bob@', '--generate'], given),
    json(['user', 'password', 'nobody', '--generate'], given),
    json(['user', 'roles', 'ada', ''], given),
  ])
  t.strictSame(codes.map(({ code, error }) => [code, error.code]), [
    [1, 'ACCOUNTS_USER_EXISTS'], [1, 'ACCOUNTS_PASSWORD_REJECTED'],
    [1, 'ACCOUNTS_INPUT_INVALID'], [1, 'ACCOUNTS_NOT_FOUND'], [1, 'ACCOUNTS_INPUT_INVALID'],
  ])
  t.match(await json(['user', 'roles', 'ada'], given), { code: 2 })
  t.match(await json(['user', 'roles', 'ada', 'admin', '--none'], given), { code: 2 })
})

t.test('who pipes nothing in is told how a password is given', async (t) => {
  const given = await prepare(t)
  for (const input of ['', '\n']) {
    t.match(await cli(['user', 'add', 'bob'], { ...given, input }), {
      code: 1,
      stderr:
        'There is no password on standard input: pipe one, as in printf %s "$PASSWORD" | fastify-jwt-accounts …, or use --generate',
    })
  }
})

t.test('fields of a configuration are given by name', async (t) => {
  const given = await prepare(t)
  writeFileSync(
    join(given.cwd, 'accounts.config.ts'),
    `import { Type } from '${import.meta.resolve('@sinclair/typebox')}'
import type { AccountsOptions } from 'fastify-jwt-accounts'
export default { user: { fields: { displayName: Type.String(), age: Type.Optional(Type.Integer()) } } } satisfies AccountsOptions`
  )
  const add = ['user', 'add', '--generate', '--config', 'accounts.config.ts']

  t.match(await json([...add, 'ada', '--field', 'displayName=Ada = 1', '--field', 'age=36'], given), {
    displayName: 'Ada = 1',
    age: 36,
  })
  t.match(await json([...add, 'bob'], given), {
    code: 1,
    error: { code: 'ACCOUNTS_INPUT_INVALID', message: /displayName/ },
  })
  t.match(await json([...add, 'bob', '--field', 'displayName'], given), { code: 2 })
})
