import { Type } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import type { FastifyRequest } from 'fastify'
import { inSeconds, isDuration, type Duration } from '../durations.ts'
import { OptionsInvalid } from '../errors.ts'
import type { TokenKind } from '../tokens/keyring.ts'
import type { AccountsUser } from '../users/public-user.ts'

/** The options of `app.accounts.guard(options)`. Anything not named here is refused. */
export interface GuardOptions {
  /** Which kind of token lets a request in. Default `'access'`. */
  type?: TokenKind | 'any'
  /**
   * Lets requests without a token in too, with `request.user` null; `'or-expired'` those with an expired one as well.
   * A token that is there and bad is still refused. Default false.
   */
  optional?: boolean | 'or-expired'
  /** The password must have been checked no longer ago than this; `true` is 10 minutes. Default false. */
  fresh?: boolean | Duration
  /** The user must have all of these roles. Default none. */
  roles?: string[]
  /** Decides about the signed-in user: only `true` lets the request in. Default nobody is asked. */
  check?: (user: AccountsUser, request: FastifyRequest<any, any, any, any, any, any, any>) => boolean | Promise<boolean>
}

/** The options, checked and filled. */
export interface GuardSettings {
  kind: TokenKind | 'any'
  optional: boolean | 'or-expired'
  /** Undefined: however long ago. */
  freshForSeconds: number | undefined
  roles: string[]
  check: GuardOptions['check']
}

/** What `fresh: true` means, and `request.auth.fresh`. */
export const usuallyFreshForSeconds = 600

/** Checks and fills the options of a guard: the defaults stand here and nowhere else. */
export const GuardOptionsSchema = Type.Object({
  type: Type.Unsafe<TokenKind | 'any'>({ enum: ['access', 'refresh', 'any'], default: 'access' }),
  optional: Type.Unsafe<boolean | 'or-expired'>({ enum: [true, false, 'or-expired'], default: false }),
  fresh: Type.Unsafe<boolean | Duration>({ fresh: true, default: false }),
  roles: Type.Array(Type.String({ minLength: 1 }), { default: [] }),
  check: Type.Optional(Type.Unsafe<GuardOptions['check']>({ callable: true })),
}, { additionalProperties: false })

const ajv = new Ajv({ allErrors: true, useDefaults: true })
ajv.addKeyword({ keyword: 'fresh', validate: (_: true, value: unknown) => typeof value === 'boolean' || isDuration(value) })
ajv.addKeyword({ keyword: 'callable', validate: (_: true, value: unknown) => typeof value === 'function' })
const isValid = ajv.compile(GuardOptionsSchema)

/**
 * Fills the options of a guard.
 * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID`, where the route is written
 */
export function readGuardOptions (given: GuardOptions): GuardSettings {
  const options: unknown = { ...given }
  if (!isValid(options)) throw new OptionsInvalid(`a guard's ${ajv.errorsText(isValid.errors, { dataVar: 'options' })}`)

  const { type, optional, fresh, roles, check } = options as Required<GuardOptions>
  if (optional && (fresh || roles.length > 0 || given.check)) {
    throw new OptionsInvalid("a guard's options.optional lets anybody in, so it does not go with fresh, roles or check")
  }
  const freshForSeconds = fresh === true ? usuallyFreshForSeconds : fresh === false ? undefined : inSeconds(fresh)
  return { kind: type, optional, freshForSeconds, roles, check }
}
