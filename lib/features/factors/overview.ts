import { Type, type TObject } from '@sinclair/typebox'
import type { EntityManager } from '@mikro-orm/core'
import { component } from '../../http/component.ts'
import type { User } from '../../users/entity.ts'
import type { Spine } from '../spine.ts'
import type { Method } from './factors.ts'

/** The second factors of a user, as `GET /factors` and `factors.of` return them. Times are ISO strings. */
export interface FactorOverview {
  /** Whether a second factor is required to sign in. */
  second_factor: boolean
  /** Whether the app requires two factors of this user (`factors.requireFor`). */
  required: boolean
  /** The authenticator app. Null where there is none. */
  totp?: { created_at: string, last_used_at: string | null } | null
  /** Null where there were none. */
  recovery_codes?: { left: number, created_at: string } | null
  /** What features have that are on beside. */
  [other: string]: unknown
}

/** Tells what a user has set up. */
export interface Overview {
  /** Made once all methods are there. */
  schemaOf: () => TObject
  of: (em: EntityManager, user: User) => Promise<FactorOverview>
}

export function createOverview ({ users: { needsOf } }: Spine, methods: Method[]): Overview {
  return {
    schemaOf: () => component('Factors', Type.Object({
      second_factor: Type.Boolean({ description: 'Whether a second factor is required to sign in.' }),
      required: Type.Boolean({ description: 'Whether the app requires two factors of this user.' }),
      ...Object.fromEntries(methods.map(({ shown: { name, Schema } }) => [name, Schema])),
    }, { description: 'What the user has set up' })),

    async of (em, user) {
      const { hasFactor, needsFactor } = needsOf(user)
      const shown: FactorOverview = { second_factor: hasFactor, required: needsFactor }
      for (const { shown: { name, of } } of methods) shown[name] = await of(em, user.id)
      return shown
    },
  }
}
