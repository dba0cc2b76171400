import type { FastifyInstance } from 'fastify'
import type { Database } from '../database/database.ts'
import type { Events } from '../events/events.ts'
import { createOneTimes, type OneTimes } from '../one-time/one-time.ts'
import type { TellOfTheft } from '../sessions/theft.ts'
import type { Keyring } from '../tokens/keyring.ts'
import type { AnyRequest } from '../http/request.ts'
import type { AccountsUser } from '../users/public-user.ts'
import type { Users } from '../users/users.ts'
import { createCompose } from './compose.ts'
import { createDevOutbox, type DevOutbox } from './dev-outbox.ts'
import type { NoticeName } from './kinds.ts'
import { mostAtOnce } from './lanes.ts'
import { createLinks } from './links.ts'
import { createLocales } from './locales.ts'
import { createNotices, type LocaleFor, type Notify, type WriteMail } from './notices.ts'
import type { MailSettings } from './options.ts'
import { openTransport } from './open-transport.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import { keepMailing } from './testing.ts'
import type { MailWords } from './texts.ts'
import { createMailWorker, type MailWorker } from './worker.ts'

/** Mails of accounts, where they are on. */
export interface Mailing {
  settings: MailSettings
  oneTimes: OneTimes
  outbox: Outbox
  worker: MailWorker
  write: WriteMail
  localeFor: LocaleFor
  /** The texts of a language, or English. */
  wordsOf: (locale: string) => MailWords
  notify: Notify
  /** Tells a user that a session was ended whose refresh token was used twice. */
  tellOfTheft: TellOfTheft
  /** Whether a notice is switched on. */
  tellsOf: (name: NoticeName) => boolean
  /** Where mails are kept that are not really sent. */
  devOutbox: DevOutbox | undefined
  /** Has tests find these mails by the services of the accounts. */
  keepFor: (services: object) => void
}

interface MailParts {
  database: Database
  keyring: Keyring
  events: Events
  users: Users
}

/**
 * Opens the mails. `path` is that of our routes.
 * @throws {OptionsInvalid} for a language of which there are not all texts, and for SMTP without nodemailer
 */
export async function openMail (
  app: FastifyInstance, { database, keyring, events, users }: MailParts, settings: MailSettings, path: string
): Promise<Mailing> {
  const locales = createLocales(settings.locales)
  const oneTimes = createOneTimes(database, keyring.derived('mail'), settings.code.digits)
  const outbox = createOutbox(database)
  const devOutbox = settings.send ?? settings.smtp ? undefined : createDevOutbox()
  const transport = devOutbox ?? await openTransport(settings, mostAtOnce)
  const compose = createCompose({ oneTimes, locales, link: createLinks(app, path, settings) }, settings)
  const worker = createMailWorker({
    outbox,
    transport,
    compose,
    onFailed: ({ userId, kind, error }) =>
      events.happen({ type: 'mail-failed', userId: userId ?? undefined, data: { kind, error } }),
    log: app.log,
  }, settings)
  app.addHook('onClose', worker.close)

  /** What the app says, if it says anything: an error of its own must not keep anybody from what they asked for. */
  function wanted (user: AccountsUser | null, request: AnyRequest | undefined): string | undefined {
    try {
      const locale: unknown = settings.locale?.(structuredClone(user), request)
      return typeof locale === 'string' ? locale : undefined
    } catch (error) {
      app.log.error(error, 'mail.locale has failed')
    }
  }
  const localeFor: LocaleFor = (user, client, request) => locales.choose(wanted(user, request), client?.languages)

  const write: WriteMail = async (tx, { locale, ...mail }) => {
    const id = await outbox.write(tx, { ...mail, locale: locale ?? localeFor(null, mail.client) })
    database.commits.after(tx, () => worker.wake(mail.delayMs))
    return id
  }
  const notices = createNotices({ database, users, oneTimes, write, localeFor }, settings)
  Object.assign(worker.recipients, notices.recipients)

  return {
    settings,
    oneTimes,
    outbox,
    worker,
    write,
    localeFor,
    wordsOf: locales.wordsOf,
    devOutbox,
    notify: notices.notify,
    async tellOfTheft (tx, userId, client) {
      const user = await users.lookUp.byId(userId, tx)
      if (user) await notices.notify(tx, 'reuse', user, { client })
    },
    keepFor: (services) => keepMailing(services, { worker, devOutbox }),
    tellsOf: (name) => settings.notices[name],
  }
}
