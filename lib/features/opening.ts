import type { FastifyInstance } from 'fastify'
import type { Prune } from '../database/prune.ts'
import type { Scope } from '../http/scope.ts'
import type { AddRoutes, AnyFeature, Feature, Open, PrunedOf, ServicesOf } from './feature.ts'
import type { Spine } from './spine.ts'

/** What features bring together, once they are open. */
export interface Opened<Features extends readonly AnyFeature[]> {
  services: AllOf<ServicesOf<Features[number]>>
  /** By the names of their switches. */
  routes: Record<string, AddRoutes>
  /** Add the routes that have no switch. */
  fixed: ((scope: Scope) => void)[]
  /** Add what is below no prefix. */
  atRoot: ((app: FastifyInstance) => void)[]
  prunes: Prune<PrunedOf<Features[number]>>[]
  /** What has to be done before the app is ready. */
  readies: (() => Promise<void>)[]
  /** End what goes on by itself. */
  closes: (() => Promise<void>)[]
}

/** What has the members of each of a union. */
type AllOf<Union> = (Union extends unknown ? (each: Union) => void : never) extends (all: infer All) => void
  ? All
  : never

/** Opens features in their order, which gives each the faces of those that it needs. */
export async function openFeatures<const Features extends readonly AnyFeature[]> (
  features: Features, spine: Spine, settings: object
): Promise<Opened<Features>> {
  const opened = new Map<AnyFeature, Open<unknown, object>>()
  for (const card of features) opened.set(card, await openOne(card, spine, settings, opened))

  const all = [...opened.values()]
  return {
    services: combined(all.flatMap(({ services = {} }) => Object.entries(services))),
    routes: together(all.flatMap(({ routes = {} }) => Object.entries(routes))),
    fixed: all.flatMap(({ fixed = [] }) => fixed),
    atRoot: all.flatMap(({ atRoot = [] }) => atRoot),
    readies: all.flatMap(({ ready = [] }) => ready),
    closes: all.flatMap(({ close = [] }) => close),
    prunes: [...features.flatMap(({ prunes = [] }) => prunes), ...all.flatMap(({ prunes = [] }) => prunes)],
  }
}

/** Calls of several features may belong to one part of the services, such as `users`. A part may be a call itself. */
function combined<Services> (services: [name: string, service: object][]): Services {
  const byName = Map.groupBy(services, ([name]) => name)
  return Object.fromEntries([...byName].map(([name, all]) => {
    const parts = all.map(([, service]) => service)
    return [name, parts.length === 1 ? parts[0] : Object.assign({}, ...parts)]
  })) as Services
}

/** Routes of several features may stand behind one switch. */
function together (routes: [name: string, add: AddRoutes][]): Record<string, AddRoutes> {
  const byName = Map.groupBy(routes, ([name]) => name)
  const added = [...byName].map(([name, all]): [string, AddRoutes] =>
    [name, (scope, path) => all.forEach(([, add]) => add(scope, path))])
  return Object.fromEntries(added)
}

async function openOne (
  card: Feature<object, Record<string, AnyFeature>, unknown, object, string>, spine: Spine, settings: object,
  opened: Map<AnyFeature, Open<unknown, object>>
): Promise<Open<unknown, object>> {
  if (card.off?.when(settings)) return card.off
  const faces = Object.entries(card.needs).map(([name, needed]) => [name, opened.get(needed)!.face])
  return card.open(spine, settings, Object.fromEntries(faces))
}
