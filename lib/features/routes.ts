import { Type, type TObject } from '@sinclair/typebox'
import { path } from '../checks/kinds.ts'
import { canSign, type Key } from '../tokens/key.ts'

/** Turns a route on (`true`) or off (`false`), or sets its path below the prefix. */
export type RouteSwitch = boolean | string

/** What is to be known of a route before it is opened. */
interface RouteKeywords {
  /** Where it is below the prefix. Default the path that errors name as an example. */
  usualPath?: string
  /** The method of its own path: no other of this method can have that. */
  method: 'GET' | 'POST' | 'PUT'
  /** More paths of it below the prefix, which stay where they are. */
  also?: string[]
  /** Hands out tokens: without a key that signs there is none. */
  issues?: true
  /** Whether it has a point, by the keys and the options. Default always. */
  isOfUse?: (keys: Key[], options: any) => boolean
}

/** The switch of a route, as a feature says it in its options.ts under the name of the operation. */
export function RouteSchema (example: string, isOn: boolean, description: string, keywords: RouteKeywords) {
  const route = { usualPath: example, ...keywords }
  return Type.Unsafe<RouteSwitch>({
    ...path(example), type: ['boolean', 'string'], tsType: 'RouteSwitch', default: isOn, description, route,
  })
}

/** The option `routes`, whatever routes there are. */
type Routes = TObject

/** Where a route is below the prefix, or nothing when it is off. */
function pathOf ({ properties }: Routes, name: string, given: RouteSwitch): string | undefined {
  return given === true ? properties[name]!.route.usualPath : given || undefined
}

/** Routes that hand out tokens, by their names. */
export function issuingAmong ({ properties }: Routes): string[] {
  return Object.keys(properties).filter((name) => properties[name]!.route.issues)
}

/** Routes of one method cannot share a path. */
export function faultsOfRoutes (schema: Routes, given: Record<string, RouteSwitch> | undefined): string[] {
  if (!given) return []
  const doubled = ['POST', 'GET', 'PUT'].flatMap((method) => {
    const names = Object.keys(schema.properties).filter((name) => schema.properties[name]!.route.method === method)
    const paths = names.map((name) => [name, pathOf(schema, name, given[name]!)] as const).filter(([, path]) => path)
    return paths.find(([, path], index) => paths.findIndex(([, taken]) => taken === path) < index)?.[0] ?? []
  })
  return doubled.map((name) => `routes.${name} has the path of another route`)
}

/** Where each route is below the prefix, in the order of the options. What is off, or has no point, is not there. */
export function readRoutes (
  schema: Routes, options: { routes: Record<string, RouteSwitch> }, keys: Key[]
): { routes: Record<string, string> } {
  const entries = Object.entries(schema.properties).flatMap(([name, { route: { issues, isOfUse = () => true } }]) => {
    const place = pathOf(schema, name, options.routes[name]!)
    const isThere = place && (canSign(keys) || !issues) && isOfUse(keys, options)
    return isThere ? [[name, place] as const] : []
  })
  return { routes: Object.fromEntries(entries) }
}
