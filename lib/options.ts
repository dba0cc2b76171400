import { Type, type Static } from '@sinclair/typebox'
import { Group } from './checks/kinds.ts'
import * as database from './database/options.ts'
import * as errors from './errors.ts'
import * as events from './events/options.ts'
import * as adminPage from './features/admin-page/options.ts'
import * as apiKeys from './features/api-keys/options.ts'
import * as audit from './features/audit/options.ts'
import * as closing from './features/closing/options.ts'
import * as discovery from './features/discovery/options.ts'
import * as emailLogin from './features/email-login/options.ts'
import * as exporting from './features/export/options.ts'
import * as email from './features/email/options.ts'
import * as factors from './features/factors/options.ts'
import * as impersonation from './features/impersonation/options.ts'
import * as invitations from './features/invitations/options.ts'
import * as mailFeature from './features/mail/options.ts'
import * as passkeys from './features/passkeys/options.ts'
import * as providers from './features/providers/options.ts'
import * as passwords from './features/passwords/options.ts'
import * as register from './features/register/options.ts'
import { faultsOfRoutes, readRoutes } from './features/routes.ts'
import * as reset from './features/reset/options.ts'
import * as sessionRoutes from './features/sessions/options.ts'
import * as throttle from './features/throttle/options.ts'
import * as tokenServices from './features/token-services/options.ts'
import * as userRoutes from './features/users/options.ts'
import * as guards from './guards/options.ts'
import * as http from './http/options.ts'
import * as mail from './mail/options.ts'
import type { Messages } from './http/wording.ts'
import * as secrets from './secrets/options.ts'
import * as sessions from './sessions/options.ts'
import * as signIn from './sign-in/options.ts'
import { hmacSecretsAmong, type Key } from './tokens/key.ts'
import * as tokens from './tokens/options.ts'
import * as transport from './transport/options.ts'
import * as users from './users/options.ts'

/** The `code` of an error of the plugin. */
export type ErrorCode = InstanceType<(typeof errors)[keyof typeof errors]>['code']

/** What only the whole can check, since it alone knows the errors of all folders. */
const messages = {
  messages: Type.Unsafe<Messages<ErrorCode>>({
    type: 'object',
    additionalProperties: {
      holds: (value: unknown) => ['string', 'function'].includes(typeof value), must: 'be a text or a function',
    },
    tsType: 'Messages<ErrorCode>',
    default: {},
    description: 'Your own messages for errors, by code: a text, or `(request, message) => string`, which receives ' +
      'the default message.',
  }),
}

/** The switches of the routes of all features: those that are on stand in this order in the document. */
export const routes = Group({
  ...register.routes,
  ...passwords.routes,
  ...sessionRoutes.routes,
  ...userRoutes.routes,
  ...tokenServices.routes,
  ...reset.routes,
  ...closing.routes,
  ...exporting.routes,
  ...emailLogin.routes,
  ...invitations.routes,
  ...email.routes,
  ...factors.routes,
  ...passkeys.routes,
  ...apiKeys.routes,
  ...audit.routes,
  ...providers.routes,
  ...adminPage.routes,
}, {
  description: 'Which routes exist, and where: `false` turns a route off, `true` turns it on, and a text such as ' +
    "`'/sign-out'` sets its path below the prefix ([routes](routes.md)).",
})

/** The hooks of all folders. */
const hooks = Group({
  ...sessions.hooks,
  ...mailFeature.hooks,
  ...closing.hooks,
  ...exporting.hooks,
  ...invitations.hooks,
  ...factors.hooks,
  ...providers.hooks,
}, {
  description: 'Your functions that are called when something happens. Unless a hook says otherwise, it runs after ' +
    'everything is stored, the response does not wait for it, and a failure is logged ([hooks](hooks.md)).',
})

/** What admins may do, of all folders. */
const admin = Group({ ...users.admin, ...impersonation.admin }, {
  description: 'Who may read and change accounts of others ([how](admin.md)).',
})

/** Checks and fills the options: what each folder says of its own, put together. */
export const OptionsSchema = Type.Object({
  ...tokens.options,
  ...secrets.options,
  ...database.options,
  ...http.options,
  ...messages,
  ...sessions.options,
  hooks,
  ...users.options,
  admin,
  ...transport.options,
  ...guards.options,
  ...signIn.options,
  routes,
  ...tokenServices.options,
  ...discovery.options,
  ...passwords.options,
  ...throttle.options,
  ...events.options,
  ...mail.options,
  ...closing.options,
  ...email.options,
  ...factors.options,
  ...passkeys.options,
  ...apiKeys.options,
  ...providers.options,
}, { additionalProperties: false })

/** The options as the schema leaves them. */
export type Filled = Static<typeof OptionsSchema>

/** The options as the schema leaves them, less keys and the ORM, which are no data. */
export type FilledOptions = Omit<Filled, 'secret' | 'orm'>

/** What no schema can see, whatever stands there. */
export function faultsOf (given: Partial<Filled>, env: NodeJS.ProcessEnv): string[] {
  return [
    ...secrets.faults(given),
    ...sessions.faults(given),
    ...passwords.faults(given, env),
    ...faultsOfRoutes(routes, given.routes),
  ]
}

/** What does not fit together in options that are right one by one. */
export function problemsOf (given: Filled, keys: Key[], scope: string, env: NodeJS.ProcessEnv): string[] {
  const codes = Object.values(errors).map((Refusal) => new (Refusal as new () => { code: string })().code)
  const unknown = Object.keys(given.messages).filter((code) => !codes.includes(code))
  return [
    ...tokens.problems(given),
    ...unknown.map((code) => `messages.${code} is not the code of an error`),
    ...sessions.problems(given),
    ...users.problems(given),
    ...transport.problems(given, scope),
    ...guards.problems(given),
    ...tokenServices.problems(given),
    ...discovery.problems(given, keys),
    ...mail.problems(given, keys, env),
    ...emailLogin.problems(given),
    ...invitations.problems(given),
    ...impersonation.problems(given),
    ...adminPage.problems(given),
    ...email.problems(given),
    ...factors.problems(given, keys),
    ...passkeys.problems(given),
    ...apiKeys.problems(given),
    ...audit.problems(given),
    ...providers.problems(given, keys),
  ]
}

/** The options, checked and filled, with every duration in seconds: what each folder reads of them, put together. */
export type Settings = Readonly<ReturnType<typeof read>>

/** What each folder makes of the options, put together. */
export function read (given: Filled, keys: Key[], scope: string, env: NodeJS.ProcessEnv) {
  return {
    ...tokens.read(given, keys),
    ...secrets.read(given, hmacSecretsAmong(keys)),
    ...database.read(given),
    ...http.read(given),
    messages: given.messages,
    ...sessions.read(given),
    hooks: given.hooks,
    admin: given.admin,
    ...users.read(given),
    ...transport.read(given, scope),
    ...guards.read(given),
    ...signIn.read(given),
    ...readRoutes(routes, given, keys),
    ...tokenServices.read(given),
    ...discovery.read(given),
    ...passwords.read(given, env),
    ...throttle.read(given),
    ...events.read(given),
    ...mail.read(given),
    ...closing.read(given),
    ...email.read(given),
    ...factors.read(given),
    ...passkeys.read(given),
    ...apiKeys.read(given),
    ...impersonation.read(given),
    lendsSessions: Boolean(given.admin.impersonation),
    ...providers.read(given),
    hasFactors: Boolean(given.factors || given.passkeys),
    hasLevels: Boolean(given.factors || given.passkeys || given.providers?.length),
    hasOwnSecret: given.secret !== undefined,
  }
}
