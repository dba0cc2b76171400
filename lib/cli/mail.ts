import type { AccountsServices, MailInfo } from '../../types/index.ts'
import { defineCommand } from './command.ts'
import { NotFound, UsageWrong } from './errors.ts'
import { sendTest } from './send-test.ts'
import { moment, table } from './table.ts'
import { targetFlags, withAccounts } from './target.ts'

type Target = Parameters<typeof withAccounts>[0]

/** Looks into the outbox, which needs no server: without options of mails there is none, and nothing is sent here. */
const unsent = {
  from: 'accounts@example.com',
  appName: 'fastify-jwt-accounts',
  links: { base: 'https://example.com' },
  worker: false,
  send: Promise.reject.bind(Promise),
}

function withMails<Result> (target: Target, work: (mail: AccountsServices['mail']) => Promise<Result>) {
  return withAccounts(target, ({ mail }) => work(mail), ({ mail }) => mail ? {} : { mail: unsent })
}

const states = ['due', 'sent', 'failed'] as const

const list = defineCommand({
  name: 'mail list',
  summary: 'Lists the mails of the last month, the newest first.',
  flags: {
    state: { type: 'string', value: 'STATE', summary: 'due, sent or failed; by default all' },
    limit: { type: 'string', value: 'NUMBER', summary: 'how many, up to 100; by default 50' },
    after: { type: 'string', value: 'ID', summary: 'those after this one: the next of the previous page' },
    ...targetFlags,
  },
  run (_, { state, limit, after, ...target }) {
    const wanted = states.find((name) => name === state)
    if (state !== undefined && !wanted) throw new UsageWrong(`--state is one of ${states.join(', ')}`)
    return withMails(target, async (mail) => {
      const page = await mail.list({
        ...wanted && { state: wanted }, ...limit !== undefined && { limit: Number(limit) }, ...after && { after },
      })
      const rows = page.mails.map(({ id, kind, address, state, tries, error, createdAt }) =>
        [id, kind, address ?? '–', state, String(tries), error ?? '–', moment(createdAt)])
      const shown = table([['id', 'kind', 'address', 'state', 'tries', 'error', 'written'], ...rows])
      return { result: page, text: page.next ? `${shown}\n\nThere are more: --after ${page.next}` : shown }
    })
  },
})

const show = defineCommand({
  name: 'mail show',
  takes: 'ID',
  summary: 'Shows the state of a mail. Its text is not stored.',
  flags: targetFlags,
  run: ([id], target) => withMails(target, async (mail) => {
    const found = await mail.find(id!)
    if (!found) throw new NotFound('mail: fastify-jwt-accounts mail list shows what there is')
    return { result: found, text: table(Object.entries(found).map(([name, value]) => [name, written(value)])) }
  }),
})

const retry = defineCommand({
  name: 'mail retry',
  takes: 'ID',
  summary: 'Sends a mail again that was given up, or waits: a process of the app does it within seconds.',
  flags: targetFlags,
  run: ([id], target) => withMails(target, async (mail) => {
    const found = await mail.find(id!)
    if (!found || found.state === 'sent') throw new NotFound('mail that could be sent')
    await mail.retry(id!)
    return { result: { retried: id }, text: `The mail ${id} is due now.` }
  }),
})

export const mail = [list, show, retry, sendTest]

function written (value: MailInfo[keyof MailInfo]): string {
  return value instanceof Date ? moment(value) : String(value ?? '–')
}
