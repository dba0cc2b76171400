import type { FastifyBaseLogger } from 'fastify'
import type { Database } from '../database/database.ts'
import type { Chain } from '../events/chain.ts'
import type { Events, Telemetry } from '../events/events.ts'
import type { Guards } from '../guards/guards.ts'
import type { Ranks } from '../guards/ranks.ts'
import type { AuthenticationSettings } from '../guards/options.ts'
import type { Input } from '../http/input.ts'
import type { Documenting } from '../openapi/document.ts'
import type { OwnData } from '../sessions/data.ts'
import type { SealSettings } from '../secrets/options.ts'
import type { Hooks, SessionSettings } from '../sessions/options.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { SignInSettings } from '../sign-in/options.ts'
import type { SignIn } from '../sign-in/sign-in.ts'
import type { Mailing } from '../mail/mail.ts'
import type { Keyring } from '../tokens/keyring.ts'
import type { TokenSettings } from '../tokens/options.ts'
import type { Tokens } from '../tokens/tokens.ts'
import type { TransportSettings } from '../transport/options.ts'
import type { TokenTransport } from '../transport/transport.ts'
import type { FactorNeedSettings } from '../users/factor-needs.ts'
import type { UserSettings } from '../users/options.ts'
import type { Users } from '../users/users.ts'

/** What the settings say of the spine. */
export type SpineSettings =
  TokenSettings & SealSettings & UserSettings & SessionSettings & TransportSettings & AuthenticationSettings &
  SignInSettings & Pick<FactorNeedSettings, 'hasFactors'>

/** What every feature may use. It is made before any of them, and knows none. */
export interface Spine {
  settings: SpineSettings
  log: FastifyBaseLogger
  /** What all accounts of one server share is kept by it. */
  server: object
  /** Reads what people and code give. */
  input: Input
  /** Tells the app's hooks. */
  hooks: Hooks
  database: Database
  /** Of any names: each feature takes it with those of its own. */
  events: Events<any>
  /** Undefined where nothing can be sealed. */
  chain: Chain | undefined
  /** Of any names: each feature takes it with those of its own. */
  telemetry: Telemetry<any, any>
  keyring: Keyring
  tokens: Tokens
  users: Users
  sessions: Sessions
  /** What the app keeps of sessions. */
  ownData: OwnData
  transport: TokenTransport
  guards: Guards
  ranks: Ranks
  /** Undefined where there are no mails. */
  mail: Mailing | undefined
  signIn: SignIn
  openapi: Documenting
}
