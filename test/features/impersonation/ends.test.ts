// On each database.
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { clock, outbox, signIn } from '../../../lib/testing.ts'
import { bearer, build, buildOnFile, decode } from '../../support/build.ts'
import { rounds } from '../../support/rounds.ts'
import { until } from '../../support/waiting.ts'
import { lending } from './support.ts'

/** Two apps on one database, each of which hears at once that there is something to read in the log. */
async function twoProcesses (t: Test, options: AccountsOptions = {}) {
  const listening = new Set<() => void>()
  const wake = (onMessage: () => void) => {
    listening.add(onMessage)
    return () => { for (const tell of listening) tell() }
  }
  const whole = { ...lending, revocation: { pollInterval: '60s', maxStaleness: '300s', wake }, ...options } as const
  const here = await buildOnFile(t, whole)
  const there = await build(t, { ...whole, db: here.db })
  return { ...here, there: there.app }
}

type Built = Awaited<ReturnType<typeof twoProcesses>>

let made = 0

/** A user, an admin who has borrowed a session of theirs, and that session. */
async function borrowed ({ app, sql, there }: Built) {
  const name = `${made++}`
  const actor = await signIn(app, { username: `root-${name}`, roles: ['support'] })
  const user = await signIn(app, { username: `ada-${name}`, email: `ada-${name}@example.com` })
  const lent = await signIn(app, `ada-${name}`, { actor: `root-${name}` })
  const { sid } = decode(lent.tokens.access_token).payload
  const isGoodIn = async (process: typeof app, url = '/guarded', { headers } = lent as { headers: object }) =>
    (await process.inject({ url, headers: headers as Record<string, string> })).statusCode === 200
  return {
    actor,
    user,
    lent,
    sid,
    isGoodIn,
    isGoodEverywhere: async (who?: { headers: object }) =>
      (await Promise.all([app, there].flatMap((each) => ['/guarded', '/strict'].map((url) => isGoodIn(each, url, who)))))
        .every(Boolean),
    reason: async () => (await sql.get('select revoke_reason from accounts_sessions where id = ?', sid))?.revoke_reason,
  }
}

type Borrowed = Awaited<ReturnType<typeof borrowed>>

interface Way {
  end: (built: Built, borrowed: Borrowed) => Promise<unknown>
  reason: string | undefined
  /** Whose own sessions go on. */
  goesOn?: 'user' | 'actor'
}

const say = (
  { app }: Built, who: { headers: Record<string, string> }, method: 'POST' | 'DELETE', url: string, payload?: object
) => app.inject({ method, url, headers: who.headers, ...payload && { payload } })

const ways: Record<string, Way> = {
  'a logout with its token': {
    end: (built, { lent }) => say(built, lent, 'POST', '/auth/logout', {}), reason: 'logout', goesOn: 'user',
  },
  'the admin is disabled': {
    end: ({ app }, { actor }) => app.accounts.users.disable(actor.user.id), reason: 'borrower', goesOn: 'user',
  },
  'the admin is deleted': {
    end: ({ app }, { actor }) => app.accounts.users.delete(actor.user.id), reason: 'borrower', goesOn: 'user',
  },
  'the admin closes the account': {
    end: (built, { actor }) => say(built, actor, 'DELETE', '/auth/me'), reason: 'borrower', goesOn: 'user',
  },
  'the admin signs out everywhere': {
    end: (built, { actor }) => say(built, actor, 'DELETE', '/auth/sessions'), reason: 'borrower', goesOn: 'user',
  },
  'the admin keeps no session but this': {
    end: (built, { actor }) => say(built, actor, 'DELETE', '/auth/sessions?keep=current'),
    reason: 'borrower',
    goesOn: 'actor',
  },
  'the admin has another password': {
    end: ({ app }, { actor }) => app.accounts.users.setPassword(actor.user.id, 'staple battery horse correct'),
    reason: 'borrower',
    goesOn: 'user',
  },
  'the admin has lost the permission': {
    end: ({ app }, { actor }) => app.accounts.users.setRoles(actor.user.id, ['shop']),
    reason: 'borrower',
    goesOn: 'actor',
  },
  'the user ends it': {
    end: (built, { user, sid }) => say(built, user, 'DELETE', `/auth/sessions/${sid}`), reason: 'ended', goesOn: 'user',
  },
  'the user keeps no session but this': {
    end: (built, { user }) => say(built, user, 'DELETE', '/auth/sessions?keep=current'), reason: 'ended', goesOn: 'user',
  },
  'the user signs out everywhere': {
    end: (built, { user }) => say(built, user, 'DELETE', '/auth/sessions'), reason: 'everywhere', goesOn: 'actor',
  },
  'the user is disabled': {
    end: ({ app }, { user }) => app.accounts.users.disable(user.user.id), reason: 'disabled', goesOn: 'actor',
  },
  'the user is deleted': {
    end: ({ app }, { user }) => app.accounts.users.delete(user.user.id), reason: undefined, goesOn: 'actor',
  },
  'the user may do something now': {
    end: ({ app }, { user }) => app.accounts.users.setRoles(user.user.id, ['support']),
    reason: 'borrower',
    goesOn: 'user',
  },
}

t.test('a borrowed session is over in this process at once, and in others once they read the log:', async (t) => {
  const built = await twoProcesses(t)
  for (const [name, { end, reason, goesOn }] of Object.entries(ways)) {
    await t.test(name, async (t) => {
      const lent = await borrowed(built)
      t.ok(await lent.isGoodEverywhere())
      await end(built, lent)
      t.notOk(await lent.isGoodIn(built.app))
      t.notOk(await lent.isGoodIn(built.there, '/strict'))
      await until(async () => !await lent.isGoodIn(built.there))
      t.equal(await lent.reason(), reason)
      if (goesOn) t.ok(await lent.isGoodEverywhere(lent[goesOn]), `the session of the ${goesOn} goes on`)
    })
  }
})

t.test('what changes neither permission ends nothing', async (t) => {
  const built = await twoProcesses(t)
  const lent = await borrowed(built)
  const { users } = built.app.accounts
  await users.setRoles(lent.actor.user.id, ['admin', 'shop'])
  await users.setRoles(lent.user.user.id, ['shop'])
  await users.update(lent.user.user.id, { username: 'countess' })
  t.equal((await say(built, lent.actor, 'POST', '/auth/logout', {})).statusCode, 204)
  t.ok(await lent.isGoodEverywhere())
})

t.test('who accepts an invitation to do something is borrowed no longer', async (t) => {
  const built = await twoProcesses(t, {
    mail: { links: { invite: '/join' } }, routes: { users: true, invitations: true }, email: { verification: 'none' },
  })
  const mails = outbox(built.app)
  const lent = await borrowed(built)
  const email = lent.user.user.email!
  await built.app.accounts.invitations.create({ email, roles: ['support'] })
  const token = mails.token(await mails.next('invite', { to: email }))
  const answer = await say(built, lent.user, 'POST', '/auth/invitations/accept', { token })
  t.equal(answer.statusCode, 204)
  t.notOk(await lent.isGoodIn(built.app))
  await until(async () => !await lent.isGoodIn(built.there))
  t.ok(await lent.isGoodEverywhere(lent.user))
})

t.test('in the time that it takes to lend one the admin may lose the right: then it is not there, or over', async (t) => {
  const built = await twoProcesses(t)
  for (let round = 0; round < rounds(2, 30); round++) {
    const { actor, user } = await borrowed(built)
    const url = `/auth/users/${user.user.id}/impersonate`
    const [answer] = await Promise.all([
      say(built, actor, 'POST', url, { reason: 'x' }),
      round % 2 === 0
        ? built.there.accounts.users.disable(actor.user.id)
        : built.there.accounts.users.setRoles(user.user.id, ['support']),
    ])
    t.ok([200, 401, 403].includes(answer.statusCode), `${answer.statusCode}`)
    if (answer.statusCode !== 200) continue
    const headers = bearer(answer.json().access_token)
    t.equal((await built.app.inject({ url: '/strict', headers })).statusCode, 401)
  }
})

t.test('its time is up', async (t) => {
  const built = await twoProcesses(t)
  const lent = await borrowed(built)
  const time = clock()
  t.teardown(time.restore)
  time.advance('14m')
  t.ok(await lent.isGoodIn(built.app, '/strict'))
  time.advance('2m')
  for (const url of ['/guarded', '/strict']) {
    const { headers } = lent.lent
    t.match((await built.app.inject({ url, headers })).json(), { code: 'ACCOUNTS_TOKEN_EXPIRED' })
  }
  t.equal((await built.app.accounts.sessions.list(lent.user.user.id)).length, 1)
})
