import { Type } from '@sinclair/typebox'
import { Callable, Group, Kept, OneOf, text, TrueOr } from '../checks/kinds.ts'
import { loopback } from '../checks/loopback.ts'
import { isPlainObject } from '../checks/plain-object.ts'
import { settled, type Filled } from '../checks/slice.ts'
import type { AnyRequest } from '../http/request.ts'
import { canSign, type Key } from '../tokens/key.ts'
import { options as userOptions } from '../users/options.ts'
import type { AccountsUser } from '../users/public-user.ts'
import { readMailbox } from './addresses.ts'
import { noticeNames, pageNames, type NoticeName, type PageName } from './kinds.ts'
import type { MailLocales, MailTemplates } from './texts.ts'
import type { SendMail } from './transport.ts'

/**
 * An SMTP server: a URL such as `smtp://user:password@smtp.example.com:587`, or what nodemailer takes for its SMTP
 * transport. Files and URLs are never read, and TLS is required but for this machine.
 */
export type SmtpServer = string | SmtpOptions

/** What nodemailer takes for its SMTP transport: `host`, `port`, `secure`, `auth`, `tls`, `dkim` and more. */
export interface SmtpOptions {
  host?: string
  port?: number
  /** TLS from the beginning, as on port 465. Default STARTTLS. */
  secure?: boolean
  auth?: { user: string, pass: string }
  [option: string]: unknown
}

/** The language of a user's mails, such as `'de'`. Undefined for that of the browser. */
export type LocaleOfUser = (user: AccountsUser | null, request?: AnyRequest) => string | undefined

const noticeWords: Record<NoticeName, string> = {
  passwordChanged: 'The password is another one.',
  emailChanged: 'The address is another one: goes to the one before, with a link that takes it back for 7 days.',
  newDevice: 'Somebody signed in from a browser and a network that the user had not used before.',
  loginByMail: 'Somebody signed in by a mail.',
  reuse: 'A session was ended, since its refresh token was used twice: somebody may have stolen it.',
  closing: 'The account is going to be deleted: with a link that keeps it.',
  closed: 'The account is deleted.',
  rolesRaised: 'The user has roles that they had not before.',
  factorsChanged: 'A second factor was set up, replaced or taken away.',
}

/** Pages that only the app can have, since they sign in. */
export const ownPages: PageName[] = ['login', 'register', 'invite']

/** Pages that are ours, unless the app has its own. */
const ourPages = pageNames.filter((name) => !ownPages.includes(name) && name !== 'restore')

const PathSchema = (name: PageName, what: string) => Type.Optional(Type.String({
  ...text((value) => /^\/[^\s#?]*$/.test(value), "be a path below the base, such as '/verify'"),
  usual: ownPages.includes(name) ? 'none' : 'a page of ours',
  description: `${what}, below the base${ownPages.includes(name) ? ': needed where that is on' : ''}.`,
}))

const pageWords: Record<PageName, string> = {
  verify: 'Where a link leads that verifies an address',
  change: 'Where a link leads that confirms another address',
  revert: 'Where a link leads that takes a change of address back',
  reset: 'Where a link leads by which another password is chosen',
  login: 'Where a link leads that signs in',
  register: 'Where a link leads by which a registration is completed',
  invite: 'Where an invitation leads',
  restore: 'Where a link leads that keeps an account that is to be deleted',
  disown: 'Where a link leads by which somebody says that a mail was not for them',
}

const entriesOf = <Name extends string, Value>(names: readonly Name[], value: (name: Name) => Value) =>
  Object.fromEntries(names.map((name) => [name, value(name)])) as Record<Name, Value>

export const options = {
  mail: TrueOr({
    from: Type.Optional(Type.String({
      ...text((value) => readMailbox(value) !== undefined,
        "be an address such as 'accounts@example.com' or 'Example <accounts@example.com>'"),
      usual: 'none; needed where mails are really sent',
      description: 'Whom mails come from: an address, or `Example <accounts@example.com>`.',
    })),
    appName: Type.Optional(Type.String({
      ...text((value) => !/[\p{C}<>]/u.test(value), 'hold no control characters and no < or >'),
      minLength: 1,
      maxLength: 64,
      usual: 'none; needed where mails are really sent',
      description: 'What mails call your app.',
    })),
    send: Callable<SendMail>('SendMail', {
      description: '`(mail, { signal, attempt }) => Promise`: sends one mail by a service of your own ' +
        '([how](mail.md)). It may be asked for the same mail again, with the same `id`. One that rejects is tried ' +
        'again; with `permanent: true` on the error it is not.',
    }),
    smtp: Type.Optional(Kept<SmtpServer>('SmtpServer', {
      insteadOf: 'send',
      env: 'ACCOUNTS_SMTP_URL',
      holds: (server) => typeof server === 'string' ? isSmtp(server) : isPlainObject(server),
      must: "be a URL such as 'smtp://user:password@smtp.example.com:587', or options of nodemailer",
      description: 'The server that takes mails, through the package nodemailer: a URL, or its options. TLS is ' +
        'required but for this machine.',
    })),
    links: Group({
      base: Type.Optional(Type.String({
        ...text(isBase, "be an address such as 'https://app.example.com' (http: for this machine alone)"),
        usual: 'this machine; needed in production',
        description: 'Where your pages are: what links begin with. It never comes from a request.',
      })),
      style: OneOf(['fragment', 'query'], {
        default: 'fragment',
        description: 'Where in a link its token stands. No server and no log sees a fragment ([why](mail.md#links)).',
      }),
      ...entriesOf(pageNames, (name) => PathSchema(name, pageWords[name])),
    }),
    code: Group({
      digits: Type.Integer({
        default: 8,
        minimum: 6,
        maximum: 10,
        description: 'How many digits the code of a mail has: of 8 a guesser with 5 tries at each of a million ' +
          'accounts hits 5 times in a hundred.',
      }),
    }),
    rate: Type.Integer({
      default: 10, minimum: 1, maximum: 1000, description: 'How many mails a process sends in a second at most.',
    }),
    worker: Type.Boolean({
      default: true, description: 'Whether this process sends mails, its own and those that others have left.',
    }),
    pages: Type.Boolean({
      default: true, description: 'Pages of ours for links that have no path of their own ([pages](mail.md#pages)).',
    }),
    unknown: OneOf(['silent', 'tell'], {
      default: 'silent',
      description: 'What an address gets that has no account when somebody asks for a mail to it: nothing, or a mail ' +
        'that says so.',
    }),
    notices: Group(entriesOf(noticeNames, (name) => Type.Boolean({ default: true, description: noticeWords[name] })), {
      description: 'Which mails are sent that nobody has asked for.',
    }),
    locale: Callable<LocaleOfUser>('LocaleOfUser', {
      description: "`(user, request) => 'de'`: the language of a mail. Undefined for that of the browser.",
    }),
    locales: Type.Optional(Kept<MailLocales>('MailLocales', {
      holds: isPlainObject,
      must: 'be texts by language, such as { fr: { … } }',
      usual: 'English and German',
      description: 'Texts of mails by language, over those of ours ([texts](mail.md#texts)).',
    })),
    templates: Type.Optional(Kept<MailTemplates>('MailTemplates', {
      holds: (given) => isPlainObject(given) && Object.entries(given).every(isTemplate),
      must: 'be functions by the kinds of mails: small letters, digits and dashes, up to 32',
      usual: 'ours',
      description: '`{ reset: (data, words) => ({ subject, text, html }) }`: mails of your own, in place of ours or ' +
        'of a kind of your own ([templates](mail.md#texts)).',
    })),
  }, {
    usual: 'off',
    description: 'Mails of accounts: `true` keeps them in an outbox for development, with `smtp` or `send` they are ' +
      'sent ([mail](mail.md)).',
  }),
}

/** The settings of mails, where they are on. */
export type MailSettings = NonNullable<ReturnType<typeof read>['mail']>

type Given = Filled<typeof options & Pick<typeof userOptions, 'identifiers'>>

export function problems ({ mail, identifiers }: Given, keys: Key[], env: NodeJS.ProcessEnv): string[] {
  if (!mail || mail === true) return []
  const isSent = Boolean(mail.send ?? mail.smtp)
  const isLive = env.NODE_ENV === 'production'
  const rules: [isBroken: boolean, problem: string][] = [
    [!identifiers.includes('email'), 'mail needs email among the identifiers'],
    [!canSign(keys), 'mail needs a key that signs'],
    [isSent && mail.from === undefined, 'mail.from is needed to send mails'],
    [isSent && mail.appName === undefined, 'mail.appName is needed to send mails'],
    ...mail.pages
      ? []
      : ourPages.map((name): [boolean, string] =>
        [mail.links[name] === undefined, `mail.links.${name} is needed without mail.pages`]),
    [isLive && !isSent, 'mail needs smtp (or ACCOUNTS_SMTP_URL) or send in production'],
    [isLive && mail.links.base === undefined, 'mail.links.base is needed in production'],
  ]
  return rules.filter(([isBroken]) => isBroken).map(([, problem]) => problem)
}

/** What is wrong where a link of this page is mailed, and nobody has written the page. */
export function linkProblems (what: string, page: PageName, mail: Given['mail'] | undefined): string[] {
  if (!mail || mail === true) return [`${what} needs mail`]
  return mail.links[page] === undefined ? [`${what} needs mail.links.${page}, a page of yours`] : []
}

/** For the switch of a route that makes sense only with mails. */
export const withMail = (_: unknown, { mail }: Partial<Given>) => Boolean(mail)

/** In development a mail comes from here. */
const devMailbox = 'accounts@example.com'

export function read (given: Given) {
  if (!given.mail) return { mail: undefined }
  const { from = devMailbox, appName = 'Your app', ...rest } = settled(options, given).mail as Exclude<
    ReturnType<typeof settled<typeof options>>['mail'], false | undefined>
  return { mail: { ...rest, from: readMailbox(from)!, appName } }
}

function isTemplate ([kind, make]: [string, unknown]): boolean {
  return /^[a-z][a-z0-9-]{0,31}$/.test(kind) && typeof make === 'function'
}

function isSmtp (value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, hostname, username, password } = new URL(value)
  const isDecoded = !/%(?![\da-f]{2})/i.test(username + password)
  return ['smtp:', 'smtps:'].includes(protocol) && hostname !== '' && isDecoded
}

/** Without a path, a query or a fragment of its own, which a link adds. */
function isBase (value: string): boolean {
  if (!URL.canParse(value)) return false
  const { origin, protocol, pathname, search, hash, username } = new URL(value)
  const isOrigin = protocol === 'https:' || loopback.test(origin)
  return isOrigin && `${search}${hash}${username}` === '' && (pathname === '/' || !pathname.endsWith('/'))
}
