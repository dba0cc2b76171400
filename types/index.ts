import type { MikroORM } from '@mikro-orm/core'
import type { FastifyInstance } from 'fastify'
import type { Guard } from '../lib/guards/guard.ts'
import type { RequestAuth } from '../lib/guards/request-auth.ts'
import type { Health } from '../lib/sessions/health.ts'
import type { AccountEvent as EventOf } from '../lib/events/events.ts'
import type { KeyCounters, KeyEvents } from '../lib/features/api-keys/events.ts'
import type { KeyServices } from '../lib/features/api-keys/services.ts'
import type { ClosingEvents } from '../lib/features/closing/events.ts'
import type { ExportEvents } from '../lib/features/export/events.ts'
import type { FactorCounters, FactorEvents } from '../lib/features/factors/events.ts'
import type { EmailEvents } from '../lib/features/email/events.ts'
import type { ProofEvents } from '../lib/features/mail/events.ts'
import type { PasswordEvents } from '../lib/features/passwords/events.ts'
import type { PasskeyCounters, PasskeyEvents } from '../lib/features/passkeys/events.ts'
import type { PasskeyServices } from '../lib/features/passkeys/services.ts'
import type { ProviderCounters, ProviderEvents } from '../lib/features/providers/events.ts'
import type { IdentityServices } from '../lib/features/providers/services.ts'
import type { RegisterEvents } from '../lib/features/register/events.ts'
import type { ResetEvents } from '../lib/features/reset/events.ts'
import type { ThrottleCounters, ThrottleEvents } from '../lib/features/throttle/events.ts'
import type { ImpersonationEvents } from '../lib/features/impersonation/events.ts'
import type { ImpersonationServices } from '../lib/features/impersonation/services.ts'
import type { InvitationEvents } from '../lib/features/invitations/events.ts'
import type { UserEvents } from '../lib/features/users/events.ts'
import type { MailEvents } from '../lib/mail/events.ts'
import type { SessionCounters, SessionEvents } from '../lib/sessions/events.ts'
import type { TokenCounters } from '../lib/tokens/events.ts'
import type { SignInEvents } from '../lib/sign-in/events.ts'
import type { TransportEvents } from '../lib/transport/events.ts'
import type { UserCounters } from '../lib/users/events.ts'
import type { GuardOptions } from '../lib/guards/guard-options.ts'
import type { AuditEvents } from '../lib/features/audit/events.ts'
import type { EventServices } from '../lib/features/audit/services.ts'
import type { ClosingServices } from '../lib/features/closing/services.ts'
import type { ResetServices } from '../lib/features/reset/services.ts'
import type { TokenServices } from '../lib/features/token-services/services.ts'
import type { MailServices } from '../lib/features/mail/mail-services.ts'
import type { ProofServices } from '../lib/features/mail/proof-services.ts'
import type { InvitationServices } from '../lib/features/invitations/services.ts'
import type { SessionServices } from '../lib/features/sessions/services.ts'
import type { AccountsUser } from '../lib/users/public-user.ts'
import type { FactorServices } from '../lib/features/factors/services.ts'
import type { RecoveryCodeEvents } from '../lib/features/recovery-codes/events.ts'
import type { TotpEvents } from '../lib/features/totp/events.ts'
import type { UserServices } from '../lib/features/users/services.ts'

export type { Duration } from '../lib/checks/durations.ts'
export type { ErrorCode } from '../lib/options.ts'
export type { AccountsTypes } from '../lib/host/types.ts'
export type { AnyReply, AnyRequest, RequestSource } from '../lib/http/request.ts'
export type { AccountsOptions } from './options.ts'
export type { Location, Transport } from '../lib/transport/options.ts'
export type { Algorithm, KeyMaterial, KeyPair } from '../lib/tokens/key.ts'
export type { PasskeyInfo, PasskeyServices } from '../lib/features/passkeys/services.ts'
export type { KeyInfo, KeyServices, NewKey, NewKeyOptions } from '../lib/features/api-keys/services.ts'
export type { KeyEvent } from '../lib/features/api-keys/events.ts'
export type { AnyAuth, KeyAuth } from '../lib/guards/key-auth.ts'
export type { KeyClaims } from '../lib/guards/key-access.ts'
export type { IdentityInfo, IdentityServices, NewIdentity } from '../lib/features/providers/services.ts'
export type { TokensOfProvider } from '../lib/features/providers/giving-tokens.ts'
export type { IdentityLinked, OnIdentityLinked } from '../lib/features/providers/options.ts'
export type { FactorReason } from '../lib/features/factors/events.ts'
export type { FactorOverview } from '../lib/features/factors/overview.ts'
export type { FactorServices, ResetWhich } from '../lib/features/factors/services.ts'
export type { FactorsChanged, OnFactorsChanged } from '../lib/features/factors/options.ts'
export type { RequiresFactor } from '../lib/users/factor-needs.ts'
export type { Level } from '../lib/tokens/levels.ts'
export type { OnClose } from '../lib/features/closing/options.ts'
export type { OnExport } from '../lib/features/export/options.ts'
export type { OnInvitationAccepted } from '../lib/features/invitations/options.ts'
export type { EventFilter } from '../lib/features/audit/listing.ts'
export type { SealProblem, Verified } from '../lib/features/audit/verifying.ts'
export type { EventInfo, EventServices } from '../lib/features/audit/services.ts'
export type { MailServices } from '../lib/features/mail/mail-services.ts'
export type { MailInfo } from '../lib/features/mail/stored-mails.ts'
export type { ProofOptions, ProofServices, Proved } from '../lib/features/mail/proof-services.ts'
export type { BorrowedResponse } from '../lib/features/impersonation/borrowing.ts'
export type { ImpersonateOptions, ImpersonationServices } from '../lib/features/impersonation/services.ts'
export type { InvitationServices } from '../lib/features/invitations/services.ts'
export type { Invitation, Invited } from '../lib/features/invitations/invitation.ts'
export type { OnReclaim } from '../lib/features/mail/options.ts'
export type { Mail, SendMail } from '../lib/mail/transport.ts'
export type { MailContent, MailData, MailLocales, MailTemplates, MailWords } from '../lib/mail/texts.ts'
export type { SmtpOptions, SmtpServer } from '../lib/mail/options.ts'
export type { PasswordHasher, PasswordVerifier, PepperSecret } from '../lib/features/passwords/options.ts'
export type { RouteSwitch } from '../lib/features/routes.ts'
export type { Guard } from '../lib/guards/guard.ts'
export type { RequestAuth } from '../lib/guards/request-auth.ts'
export type { GuardOptions } from '../lib/guards/guard-options.ts'
export type { Consistency } from '../lib/guards/options.ts'
export type { Permission, RolePermissions } from '../lib/users/permissions.ts'
export type { Identifier } from '../lib/users/options.ts'
export type { AccountsUser, ManagedUser } from '../lib/users/public-user.ts'
export type { ClosingServices } from '../lib/features/closing/services.ts'
export type { ResetServices } from '../lib/features/reset/services.ts'
export type { NewUser, UserChange, UserServices } from '../lib/features/users/services.ts'
export type { SessionData } from '../lib/sessions/data.ts'
export type { SessionInfo, SessionServices } from '../lib/features/sessions/services.ts'
export type { AnyOrm, OrmOption } from '../lib/database/borrow.ts'
export type { InTransaction } from '../lib/database/transactions.ts'
export type { ClaimsSession } from '../lib/sign-in/options.ts'
export type { CookieResponse, TokenResponse } from '../lib/sign-in/grant.ts'
export type { IssueOptions, TokenServices, VerifiedBearer } from '../lib/features/token-services/services.ts'
export type { AccessToken, DecodedToken, TokenHeader, TokenPair } from '../lib/tokens/tokens.ts'
export type { AccessClaims, TokenClaims } from '../lib/tokens/claims.ts'
export type { Health, WaitingMails } from '../lib/sessions/health.ts'
export type { RefreshEvent, RefreshOutcome, ReuseDetails } from '../lib/sessions/events.ts'
export type { RefreshClaims } from '../lib/tokens/claims.ts'

/** The counters of this process since the start of the app. */
export interface Counters
  extends TokenCounters, UserCounters, SessionCounters, ThrottleCounters, FactorCounters, PasskeyCounters,
  KeyCounters, ProviderCounters {}

/** What is published on the channels `fastify-jwt-accounts:<event>` of node:diagnostics_channel. Times are in ms. */
export interface AccountsEvents
  extends RegisterEvents, SessionEvents, PasswordEvents, ThrottleEvents, UserEvents, TransportEvents, MailEvents,
  ProofEvents, ResetEvents, ClosingEvents, ExportEvents, EmailEvents, InvitationEvents, SignInEvents, FactorEvents,
  RecoveryCodeEvents, TotpEvents, PasskeyEvents, KeyEvents, ImpersonationEvents,
  ProviderEvents, AuditEvents {}

/** How it happened, if there are several ways. */
export type EventReason = {
  [Name in keyof AccountsEvents]: AccountsEvents[Name] extends { reason: infer Reason } ? NamesIn<Reason> : never
}[keyof AccountsEvents]

/** Not what stands for any name. */
type NamesIn<Reason> = string extends Reason ? never : NonNullable<Reason>

/** Something that happened to an account, and where it was requested. For code the address and user agent are null. */
export type AccountEvent = EventOf<EventReason, object | null>

/** The numbers of rows that `prune` has deleted. */
export interface Pruned {
  sessions: number
  revocations: number
  /** Counts of failures that are forgotten. */
  throttle: number
  events: number
  /** What was good once, is used, and would be over by now. */
  spent: number
  /** Accounts that were to be deleted by now. */
  closed?: number
  /** Proofs by mail that are over, where mail is on. */
  oneTime?: number
  /** Mails of more than a month ago, where mail is on. */
  mails?: number
}

/** Everything that code outside of routes can use: `app.accounts`. */
export interface AccountsServices extends TokenServices {
  /** Only with the option `factors` or `passkeys`. */
  factors: FactorServices
  /** Only with the option `passkeys`. */
  passkeys: PasskeyServices
  /** With the option `keys` alone. */
  keys: KeyServices
  /** With the option `providers` alone. */
  identities: IdentityServices
  users: UserServices & ClosingServices & ResetServices & ImpersonationServices
  sessions: SessionServices
  invitations: InvitationServices
  events: EventServices
  mail: MailServices
  proofs: ProofServices
  /**
   * A MikroORM that contains the entities of the accounts: the app's own if it does, otherwise the one of the accounts.
   */
  orm: MikroORM
  /** A hook that requires a valid access token of these accounts, and answers 401 otherwise. */
  authenticate: Guard
  /**
   * A hook for `preValidation` or `preHandler` that requires a valid refresh token of these accounts, without using it
   * up.
   */
  authenticateRefresh: Guard
  /**
   * Creates a hook like `app.authenticate`, with switches.
   * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID` for invalid options, where the route is defined
   */
  guard: (options?: GuardOptions) => Guard
  /**
   * Puts a guard, as `guard` creates it, on every route of a scope, its HEAD routes, its child plugins and its
   * not-found handler, including those that were registered before. The routes of the plugin are not affected. A route
   * with `config: { auth: false }` stays open.
   */
  protect: (scope: FastifyInstance<any, any, any, any, any>, options?: GuardOptions) => void
  /**
   * Deletes expired sessions, revocations and other rows, in batches, and returns their numbers. Runs once an hour by
   * itself: see the option `prune`.
   * @throws {Unavailable} also if the clock of this process is more than a minute off
   */
  prune: () => Promise<Pruned>
  /** Returns the state of the accounts, for a health route. Never throws. */
  check: () => Promise<Health>
  /** The counters of this process since the start of the app. */
  counters: Readonly<Counters>
}

declare module 'fastify' {
  interface FastifyInstance {
    /** A hook that requires a valid access token, and answers 401 otherwise. */
    authenticate: Guard
    /** A hook for `preValidation` or `preHandler` that requires a valid refresh token, without using it up. */
    authenticateRefresh: Guard
    accounts: AccountsServices
  }

  interface FastifyContextConfig {
    /** `false` leaves the route open in a scope that `app.accounts.protect` protects. */
    auth?: boolean
  }

  interface FastifyRequest {
    /** The token that let the request in. `null` until a guard has run. */
    auth: RequestAuth
  }
}

declare module '@fastify/jwt' {
  interface FastifyJWT {
    /** The type of `request.user`: `null` until a guard has run. */
    user: AccountsUser
  }
}
