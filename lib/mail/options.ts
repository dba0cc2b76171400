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
 * An SMTP server: a URL such as `smtp://user:password@smtp.example.com:587`, or the options of nodemailer's SMTP
 * transport. Files and URLs are never read, and TLS is required except on this machine.
 */
export type SmtpServer = string | SmtpOptions

/** Options of nodemailer's SMTP transport: `host`, `port`, `secure`, `auth`, `tls`, `dkim` and more. */
export interface SmtpOptions {
  host?: string
  port?: number
  /** TLS from the start, as on port 465. Default STARTTLS. */
  secure?: boolean
  auth?: { user: string, pass: string }
  [option: string]: unknown
}

/** The language of a user's mails, such as `'de'`. Undefined for the language of the browser. */
export type LocaleOfUser = (user: AccountsUser | null, request?: AnyRequest) => string | undefined

const noticeWords: Record<NoticeName, string> = {
  passwordChanged: 'The password was changed.',
  emailChanged: 'The address was changed. Goes to the old address, with a link that reverts the change for 7 days.',
  newDevice: 'Somebody signed in from a browser and a network that the user had not used before.',
  loginByMail: 'Somebody signed in by mail.',
  reuse: 'A session was ended because its refresh token was used twice: somebody may have stolen it.',
  closing: 'The account will be deleted. Contains a link that keeps it.',
  closed: 'The account was deleted.',
  rolesRaised: 'The user was given new roles.',
  factorsChanged: 'A second factor was set up, replaced or removed.',
  keyCreated: 'An API key was created.',
  impersonated: 'An admin acts as the user for a while ([how](impersonation.md)).',
  identityLinked: 'An identity at another provider was linked.',
}

/** Pages that only the app can have, since they sign in. */
export const ownPages: PageName[] = ['login', 'register', 'invite']

/** Pages that are ours, unless the app has its own. */
const ourPages = pageNames.filter((name) => !ownPages.includes(name) && name !== 'restore')

const PathSchema = (name: PageName, what: string) => Type.Optional(Type.String({
  ...text((value) => /^\/[^\s#?]*$/.test(value), "be a path below the base, such as '/verify'"),
  usual: ownPages.includes(name) ? 'none' : 'a page of ours',
  description: `${what}, below the base${ownPages.includes(name) ? '. Needed if that is on' : ''}.`,
}))

const pageWords: Record<PageName, string> = {
  verify: 'The path of your page that verifies an address',
  change: 'The path of your page that confirms a new address',
  revert: 'The path of your page that reverts a change of address',
  reset: 'The path of your page that resets a password',
  login: 'The path of your page that signs in by mail',
  register: 'The path of your page that completes a registration',
  invite: 'The path of your page that accepts an invitation',
  restore: 'The path of your page that restores a closed account',
  disown: 'The path of your page that disowns an address',
}

const entriesOf = <Name extends string, Value>(names: readonly Name[], value: (name: Name) => Value) =>
  Object.fromEntries(names.map((name) => [name, value(name)])) as Record<Name, Value>

export const options = {
  mail: TrueOr({
    from: Type.Optional(Type.String({
      ...text((value) => readMailbox(value) !== undefined,
        "be an address such as 'accounts@example.com' or 'Example <accounts@example.com>'"),
      usual: 'none; required to send mails',
      description: 'The sender of mails: an address, or `Example <accounts@example.com>`.',
    })),
    appName: Type.Optional(Type.String({
      ...text((value) => !/[\p{C}<>]/u.test(value), 'hold no control characters and no < or >'),
      minLength: 1,
      maxLength: 64,
      usual: 'none; required to send mails',
      description: 'The name of your app in mails.',
    })),
    send: Callable<SendMail>('SendMail', {
      description: '`(mail, { signal, attempt }) => Promise`: sends one mail through a service of your choice ' +
        '([how](mail.md)). It may be called again for the same mail, with the same `id`. If it rejects, it is ' +
        'called again later, unless the error has `permanent: true`.',
    }),
    smtp: Type.Optional(Kept<SmtpServer>('SmtpServer', {
      insteadOf: 'send',
      env: 'ACCOUNTS_SMTP_URL',
      holds: (server) => typeof server === 'string' ? isSmtp(server) : isPlainObject(server),
      must: "be a URL such as 'smtp://user:password@smtp.example.com:587', or options of nodemailer",
      description: 'The SMTP server, used with the package nodemailer: a URL, or options of nodemailer. TLS is ' +
        'required except on this machine.',
    })),
    links: Group({
      base: Type.Optional(Type.String({
        ...text(isBase, "be an address such as 'https://app.example.com' (http: for this machine alone)"),
        usual: 'this machine; needed in production',
        description: 'The URL that links in mails begin with. It is never taken from a request.',
      })),
      style: OneOf(['fragment', 'query'], {
        default: 'fragment',
        description: 'Where a link contains its token. No server and no log sees a fragment ([why](mail.md#links)).',
      }),
      ...entriesOf(pageNames, (name) => PathSchema(name, pageWords[name])),
    }),
    code: Group({
      digits: Type.Integer({
        default: 8,
        minimum: 6,
        maximum: 10,
        description: 'The number of digits of codes in mails. With 8, somebody with 5 tries at each of a million ' +
          'accounts hits one with a probability of 5 %.',
      }),
    }),
    rate: Type.Integer({
      default: 10, minimum: 1, maximum: 1000, description: 'The most mails that a process sends in a second.',
    }),
    worker: Type.Boolean({
      default: true,
      description: 'Whether this process sends mails: its own, and those that other processes left ' +
        'unsent.',
    }),
    pages: Type.Boolean({
      default: true,
      description: 'Serves built-in pages for links that have no path of yours ' +
        '([pages](mail.md#pages)).',
    }),
    unknown: OneOf(['silent', 'tell'], {
      default: 'silent',
      description: 'What is sent to an address without an account when somebody requests a mail to it: nothing, or ' +
        'a mail that says so.',
    }),
    notices: Group(entriesOf(noticeNames, (name) => Type.Boolean({ default: true, description: noticeWords[name] })), {
      description: 'Which notices are sent.',
    }),
    locale: Callable<LocaleOfUser>('LocaleOfUser', {
      description: "`(user, request) => 'de'`: the language of a mail. Return undefined to use the language of the " +
        'browser.',
    }),
    locales: Type.Optional(Kept<MailLocales>('MailLocales', {
      holds: isPlainObject,
      must: 'be texts by language, such as { fr: { … } }',
      usual: 'English and German',
      description: 'Texts of mails by language, which override the built-in ones ([texts](mail.md#texts)).',
    })),
    templates: Type.Optional(Kept<MailTemplates>('MailTemplates', {
      holds: (given) => isPlainObject(given) && Object.entries(given).every(isTemplate),
      must: 'be functions by the kinds of mails: small letters, digits and dashes, up to 32',
      usual: 'ours',
      description: '`{ reset: (data, words) => ({ subject, text, html }) }`: your own mails, instead of the ' +
        'built-in ones or in addition ([templates](mail.md#texts)).',
    })),
  }, {
    usual: 'off',
    description: 'Mails of accounts. `true` keeps them in an outbox for development; with `smtp` or `send` they ' +
      'are sent ([mail](mail.md)).',
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
