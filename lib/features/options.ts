import { Type } from '@sinclair/typebox'
import { Group, path } from '../checks/kinds.ts'
import type { Filled, Loose } from '../checks/slice.ts'
import { pathOf, type RouteName, type RouteSwitch } from '../http/route-path.ts'
import type { Key } from '../tokens/key.ts'
import type { options as introspectionOptions } from './token-services/options.ts'

const RouteSchema = (example: string, isOn: boolean, description: string) => Type.Unsafe<RouteSwitch>({
  ...path(example), type: ['boolean', 'string'], tsType: 'RouteSwitch', default: isOn, description,
})

export const options = {
  routes: Group({
    register: RouteSchema('/register', true, '`POST /register`.'),
    login: RouteSchema('/login', true, '`POST /login`.'),
    refresh: RouteSchema('/refresh', true, '`POST /refresh`.'),
    logout: RouteSchema('/logout', true, '`POST /logout`.'),
    reauthenticate: RouteSchema('/reauthenticate', true, '`POST /reauthenticate`.'),
    me: RouteSchema('/me', true, '`GET /me`, `PATCH /me`, `DELETE /me`.'),
    sessions: RouteSchema('/sessions', true, '`GET /sessions`, `DELETE /sessions/:id`, `DELETE /sessions`.'),
    password: RouteSchema('/password', true, '`PUT /password`.'),
    users: RouteSchema('/users', false,
      '`GET /users`, and `GET`, `PATCH` and `DELETE /users/:id`, for users with the role `admin`.'),
    jwks: RouteSchema('/jwks', true, '`GET /jwks.json`, where there is a public key.'),
    revoke: RouteSchema('/revoke', false, '`POST /revoke` (RFC 7009).'),
    introspect: RouteSchema('/introspect', true,
      '`POST /introspect` (RFC 7662), where `introspection.clients` may ask.'),
  }, {
    description: "Which routes there are, and where: `false` turns one off, `true` on, a text such as `'/sign-out'` " +
      'moves it, below the prefix ([routes](routes.md)).',
  }),
}

/** Routes that hand out tokens: without a key that signs there are none. */
export const issuing: RouteName[] = ['register', 'login', 'refresh', 'reauthenticate', 'password']

/** The routes with one method, which cannot share a path. */
const methods: RouteName[][] = [
  ['register', 'login', 'refresh', 'logout', 'reauthenticate', 'revoke', 'introspect'],
  ['me', 'sessions', 'users', 'jwks'],
]

export function faults ({ routes }: Loose<typeof options>): string[] {
  const shared = routes ? methods.map((names) => doubled(names, routes)).filter((name) => name !== undefined) : []
  return shared.map((name) => `routes.${name} has the path of another route`)
}

function doubled (names: RouteName[], routes: Record<RouteName, RouteSwitch>): string | undefined {
  const paths = names.map((name) => [name, pathOf(name, routes[name])] as const).filter(([, path]) => path)
  return paths.find(([, path], index) => paths.findIndex(([, taken]) => taken === path) < index)?.[0]
}

/** Where each route is below the prefix, in the order of the options, which the document keeps. What is off is not there. */
export function read (
  { routes, introspection }: Filled<typeof options & typeof introspectionOptions>, keys: Key[]
): { routes: Partial<Record<RouteName, string>> } {
  const isPointless = (name: RouteName) => (name === 'jwks' && keys.every(({ jwk }) => !jwk)) ||
    (name === 'introspect' && introspection.clients.length === 0) ||
    (issuing.includes(name) && !keys[0]!.signs)
  const there = (Object.keys(options.routes.properties) as RouteName[]).filter((name) => !isPointless(name))
  return { routes: Object.fromEntries(there.map((name) => [name, pathOf(name, routes[name])])) }
}
