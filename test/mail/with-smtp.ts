import type { Test } from 'tap'
import type { AccountsOptions } from '../../lib/index.ts'
import type { SmtpOptions } from '../../lib/mail/options.ts'
import { clock, flushMail } from '../../lib/testing.ts'
import { build, buildOnFile, password } from '../support/build.ts'

/** What is told to whoever listens, and what is logged. */
export interface Told {
  events: Record<string, unknown>[]
  lines: Record<string, unknown>[]
}

/** An app that sends its mails to a server, and a clock to try again by. */
export async function buildWithSmtp (t: Test, smtp: SmtpOptions | string, options: AccountsOptions = {}) {
  const mail = { from: 'Example <accounts@example.com>', appName: 'Example', smtp, rate: 1000 }
  return buildToSend(t, { ...options, mail: { ...mail, ...Object(options.mail) } })
}

/** An app that sends its mails as its options say, and none to who registers. */
export async function buildToSend (t: Test, options: AccountsOptions) {
  const lines: Told['lines'] = []
  const stream = { write: (line: string) => { lines.push(JSON.parse(line)) } }
  const server = { logger: { level: 'trace', stream } }
  const quiet = { email: { verification: 'none' }, ...options } as const
  const built = await (options.db === ':memory:' ? build : buildOnFile)(t, quiet, server) as
    Awaited<ReturnType<typeof buildOnFile>>
  const { app, post } = built
  const events = await listening(t)
  const flush = () => flushMail(app)
  return {
    ...built,
    lines,
    events,
    flush,
    async signUpWithMail (username = 'ada', email = `${username}@example.com`) {
      return (await post('/auth/register', { username, email, password })).json()
    },
    /** Asks for a mail to an account, and sends what is due. */
    async forget (username = 'ada') {
      const answer = await post('/auth/password/forgot', { username })
      await flush()
      return answer
    },
    /** Sends what is due so much later. */
    async later (by: `${number}s` | `${number}m` | `${number}h`) {
      const time = clock()
      time.advance(by)
      await flush().finally(time.restore)
    },
    /** What was logged of mails. */
    said: (message: string) => lines.filter(({ msg }) => msg === message),
  }
}

async function listening (t: Test): Promise<Told['events']> {
  const { subscribe, unsubscribe } = await import('node:diagnostics_channel')
  const events: Told['events'] = []
  const note = (event: unknown) => { events.push(event as Record<string, unknown>) }
  subscribe('fastify-jwt-accounts:mail-failed', note)
  t.teardown(() => unsubscribe('fastify-jwt-accounts:mail-failed', note))
  return events
}
