import type { FastifySchema } from 'fastify'
import { sendPage } from '../../http/page.ts'
import type { Scope } from '../../http/scope.ts'
import type { DevOutbox } from '../../mail/dev-outbox.ts'
import { isFromHere } from './nearness.ts'
import { outboxPage, policy } from './outbox-page.ts'
import { shownMail } from './shown-mail.ts'

const schema: object = {
  operationId: 'showOutbox', summary: 'The outbox of development, as a page or as JSON', hide: true,
}

/** Adds the page of the mails. Who asks for JSON gets them in their order, the newest last. */
export function showOutbox (scope: Scope, outbox: DevOutbox): void {
  scope.get('/outbox', { schema: schema as FastifySchema }, (request, reply) => {
    if (!isFromHere(request)) return reply.callNotFound()

    const mails = outbox.mails().map(shownMail)
    const { accept = '' } = request.headers
    if (!accept.includes('application/json')) return sendPage(reply, outboxPage(mails), policy)
    return sendPage(reply, JSON.stringify({ mails }), policy, 'application/json')
  })
}
