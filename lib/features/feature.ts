import type { AnyEntity, EntityClass } from '@mikro-orm/core'
import type { FastifyInstance } from 'fastify'
import type { Prune } from '../database/prune.ts'
import type { Schema } from '../database/schema.ts'
import type { DataSchemas } from '../events/data.ts'
import type { Scope } from '../http/scope.ts'
import type { Spine } from './spine.ts'

/** Adds the routes of one name to the scope that our routes live in, at this path below the prefix. */
export type AddRoutes = (scope: Scope, path: string) => void

/** What a feature does, once it is open. */
export interface Open<Face, Services> {
  /** For features that need this one. */
  face: Face
  /** For the app: parts of `app.accounts`. Several features may have calls of one part, such as `users`. */
  services?: Services
  /** By the names of their switches in the option `routes`. */
  routes?: Record<string, AddRoutes>
  /** What is old of it and goes in a way of its own. */
  prunes?: Prune<any>[]
  /** Adds routes that no switch turns off or moves, once all that have one are there. */
  fixed?: (scope: Scope) => void
  /** Adds what has its place at the root of the server, below no prefix. */
  atRoot?: ((app: FastifyInstance) => void) | undefined
  /** What has to be done before the app is ready. Commands of a shell do not wait for it: their app never is. */
  ready?: () => Promise<void>
  /** Ends what goes on by itself, before the database is closed. */
  close?: () => Promise<void>
}

/** A feature, whatever it is about. */
export type AnyFeature = Feature<any, any, any, any, any>

/** What a feature gives to those that need it. */
export type FaceOf<Each> = Each extends Feature<any, any, infer Face, any, any> ? Face : never

/** What a feature adds to `app.accounts`. */
export type ServicesOf<Each> = Each extends Feature<any, any, any, infer Services, any> ? Services : never

/** The names by which a feature's old rows are counted. */
export type PrunedOf<Each> = Each extends Feature<any, any, any, any, infer Pruned> ? Pruned : never

type Faces<Needs> = { [Name in keyof Needs]: FaceOf<Needs[Name]> }

/**
 * A feature is a folder, and this its card: what it is, said without doing anything. What it does stands behind `open`,
 * and is loaded when the accounts are opened. Its options are TypeBox properties in its `options.ts`, its errors in
 * `errors.ts`.
 */
export interface Feature<
  Settings, Needs extends Record<string, AnyFeature>, Face, Services, Pruned extends string
> {
  /** Its folder, its page in docs/ and the folder of its tests bear this name. */
  name: string
  /** Cards of others, imported: so no circle is possible. */
  needs: Needs
  /** Tables that are there whether it is on or not. */
  entities?: EntityClass<AnyEntity>[]
  /** What makes them, after all that is there without it. */
  migrations?: Schema['migrations'][number]
  /** Which of their rows are old. */
  prunes?: Prune<Pruned>[]
  /** What it counts, each from this on. */
  counters?: Record<string, number>
  /** The schemas of what its events tell beside their columns, by their types. */
  eventData?: DataSchemas
  /**
   * In place of `face` and `services`, and without loading anything, where the settings turn it off. Default it is
   * always on.
   */
  off?: { when: (settings: Settings) => boolean, face: Face, services?: Services }
  open: (spine: Spine, settings: Settings, needs: Faces<Needs>) => Promise<Open<Face, Services>>
}

/** Says what a feature is, with the types of its settings, its needs and its face. */
export function feature<
  Settings, Needs extends Record<string, AnyFeature>, Face, Services, Pruned extends string = never
> (
  card: Feature<Settings, Needs, Face, Services, Pruned>
): Feature<Settings, Needs, Face, Services, Pruned> {
  return card
}
