import type { Test } from 'tap'
import type { AccountsOptions } from '../../lib/index.ts'
import { flushMail, outbox } from '../../lib/testing.ts'
import { build, password } from './build.ts'

/** An app that sends mails, which are kept in memory, and Ada with an address. */
export async function buildWithMail (t: Test, options: AccountsOptions = {}) {
  const built = await build(t, { mail: true, email: { verification: 'none' }, ...options })
  const { app, post } = built
  return {
    ...built,
    mails: outbox(app),
    flush: () => flushMail(app),
    /** Opens an account with an address, and gives its tokens. */
    async signUpWithMail (username = 'ada', email = `${username}@example.com`) {
      const answer = await post('/auth/register', { username, email, password })
      return answer.json()
    },
    login: (username: string, given: string) => post('/auth/login', { username, password: given }),
  }
}

/** Another password than that of Ada. */
export const otherPassword = 'staple battery horse correct'
