import { Type } from '@sinclair/typebox'
import { sendPage } from '../../http/page.ts'
import { clientOf, type AnyReply, type AnyRequest } from '../../http/request.ts'
import { acceptForms, type Scope } from '../../http/scope.ts'
import { createOwnText } from '../../http/wording.ts'
import { writtenPages, type WrittenPage } from '../../mail/page-words.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import type { Spine } from '../spine.ts'
import type { PagesSettings } from './options.ts'
import { createPages, policy, type Shown } from './page.ts'
import { createPresence, type Typed } from './presence.ts'
import { refusalOf } from './refusals.ts'

const Field = Type.Optional(Type.String())
const Params = Type.Object({ name: Type.String() })

const show = {
  operationId: 'showPage', summary: 'The page that a link in a mail leads to', hide: true, params: Params,
}
const press = {
  operationId: 'pressButton',
  summary: 'Submit the form of that page',
  hide: true,
  params: Params,
  body: Type.Object({ token: Field, code: Field, email: Field, new_password: Field }, { additionalProperties: false }),
}

/**
 * Adds the pages that links of mails lead to: those that the app has no page of its own for, of features that are
 * there. To fetch one changes nothing; its form does what the feature's own route does.
 */
export function mailPages (
  { log, transport: { csrf } }: Spine, { mail: settings, messages, password }: PagesSettings, mail: MailProofs
): (scope: Scope) => void {
  const { mailing, pageActs } = mail
  const { links, appName } = settings!
  const pageOf = createPages({ appName, home: links.base ?? '/', minLength: password.minLength })
  const missingPresence = createPresence(mail)
  const ownText = createOwnText({ messages }, log)

  /** A gateway of mails may have made a part of the path of the fragment. */
  const nameIn = ({ params }: AnyRequest) => {
    const [given] = (params as { name: string }).name.split('#')
    return writtenPages.find((name) => name === given && links[name] === undefined && pageActs[name])
  }
  const wordsFor = (request: AnyRequest) =>
    mailing.wordsOf(mailing.localeFor(null, clientOf(request), request)).pages

  async function attempt (
    name: WrittenPage, request: AnyRequest, reply: AnyReply, typed: Typed
  ): Promise<Shown & { status: number }> {
    const { token: sent, code = '', new_password: password = '' } = typed
    const words = wordsFor(request)
    const [pasted, linked] = [tokenIn(code), tokenIn(sent)]
    const token = pasted ?? linked

    // Whoever pastes a link has done more than to press a button.
    const missing = linked && !pasted && await missingPresence(name, request, linked, typed)
    if (missing) return { status: 400, words, token, wrong: words.missing[missing], isCodeMissing: missing === 'code' }

    try {
      const proof = token === undefined ? { code } : { token }
      const challenge = await pageActs[name]!(request, reply, { ...proof, new_password: password })
      return { status: 200, words, isDone: true, goesOn: challenge !== undefined }
    } catch (error) {
      return { words, token, ...refusalOf(error, words, ownText(error, request)) }
    }
  }

  return (scope) => {
    // No log gets a token that has become a part of the path.
    scope.get('/pages/:name', { schema: show, logLevel: 'silent' }, (request, reply) => {
      const name = nameIn(request)
      return name ? sendPage(reply, pageOf(name, { words: wordsFor(request) }), policy) : reply.callNotFound()
    })

    acceptForms(scope, (forms) => forms.post('/pages/:name', { schema: press }, async (request, reply) => {
      const name = nameIn(request)
      if (!name) return reply.callNotFound()
      csrf.requireOwnSite(request)
      const { status, ...shown } = await attempt(name, request, reply, request.body)
      return sendPage(reply.code(status), pageOf(name, shown), policy)
    }))
  }
}

/** The token of a link, in whatever somebody has pasted. */
function tokenIn (text = ''): string | undefined {
  return /(?<![\w-])[\w-]{22}\.[\w-]{43}(?![\w-])/.exec(text)?.[0]
}
