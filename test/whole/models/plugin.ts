import { setImmediate as turn } from 'node:timers/promises'
import { mock } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type { TokenResponse } from '../../../lib/index.ts'
import { client, password } from '../../support/build.ts'
import type { Sql } from '../../support/databases.ts'

const columns = ['gen', 'prev_gen', 'prev_branch', 'confirmed_gen', 'floor_gen', 'answered_at', 'refresh_expires_at']

/** What an answer says, as far as a model knows it. */
export interface Told {
  statusCode: number
  code?: string
  tokens?: TokenResponse
}

/** One user of the plugin itself, over HTTP, with a clock that stands and a database that can lose its last refresh. */
export async function createUser (app: FastifyInstance, sql: Sql, username: string) {
  const { signUp, refresh, get, post } = client(app)
  const tokens = [await signUp(username)]
  const sid = (await sql.get(
    'select s.id from accounts_sessions s join accounts_users u on u.id = s.user_id where u.username = ?',
    username
  ))!.id
  let current = password

  function read (answer: Awaited<ReturnType<typeof get>>): Told {
    const body = answer.body === '' ? {} : answer.json()
    if (answer.statusCode >= 400) return { statusCode: answer.statusCode, code: body.code }
    if (body.refresh_token) tokens.push(body)
    return { statusCode: answer.statusCode, ...body.refresh_token && { tokens: body } }
  }

  return {
    tokens,
    refresh: async ({ refresh_token: token }: TokenResponse) => read(await refresh(token)),
    use: async ({ access_token: token }: TokenResponse) => read(await get('/guarded', token)),
    logout: async ({ refresh_token: token }: TokenResponse) =>
      read(await post('/auth/logout', { refresh_token: token })),
    everywhere: async ({ access_token: token }: TokenResponse) =>
      read(
        await app.inject({ method: 'DELETE', url: '/auth/sessions', headers: { authorization: `Bearer ${token}` } })
      ),

    reauthenticate: async ({ access_token: token }: TokenResponse) =>
      read(await post('/auth/reauthenticate', { password: current }, token)),

    async changePassword ({ access_token: token }: TokenResponse): Promise<Told> {
      const next = `${password} ${tokens.length}`
      const payload = { current_password: current, new_password: next }
      const told = read(
        await app.inject({
          method: 'PUT',
          url: '/auth/password',
          payload,
          headers: { authorization: `Bearer ${token}` },
        })
      )
      if (told.statusCode === 200) current = next
      return told
    },

    /** What the trigger of `remember` kept of the last refresh is what the row is now. */
    async forget (): Promise<void> {
      const kept = await sql.get('select * from kept where id = ?', sid)
      if (!kept) return
      const change = columns.map((name) => `${name} = ?`).join(', ')
      await sql.run(`update accounts_sessions set ${change} where id = ?`, ...columns.map((name) => kept[name]), sid)
      await sql.run('delete from kept where id = ?', sid)
    },
  }
}

/** Keeps what the row was before the current generation was last given to somebody. */
export async function remember (sql: Sql): Promise<void> {
  await sql.exec(`create table kept (id primary key, ${columns.join(', ')});
    create trigger remembers before update of answered_at on accounts_sessions begin
      insert or replace into kept values (old.id, ${columns.map((name) => `old.${name}`).join(', ')});
    end`)
}

/** Time passes, and what was to be done meanwhile is done. */
export async function pass (ms: number): Promise<void> {
  mock.timers.tick(ms)
  for (let turns = 0; turns < 20; turns++) await turn()
}
