import type { FastifySchema } from 'fastify'
import { sendPage } from '../../http/page.ts'
import type { Scope } from '../../http/scope.ts'
import type { MailSettings } from '../../mail/options.ts'
import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { pageFor, policy } from './page.ts'

/** What the settings say of the page. */
export interface PageSettings {
  routes: Record<string, string>
  mail: MailSettings | undefined
}

const schema: object = { operationId: 'showAdminPage', summary: 'A page for admins, in a browser', hide: true }

/** Parts of the page, each with the route that it stands on, below that of a switch. */
const parts = {
  sessions: { method: 'GET', of: 'users', path: '/:id/sessions' },
  keys: { method: 'GET', of: 'users', path: '/:id/keys' },
  factors: { method: 'DELETE', of: 'users', path: '/:id/factors' },
  reset: { method: 'POST', of: 'users', path: '/:id/password-reset' },
  impersonate: { method: 'POST', of: 'users', path: '/:id/impersonate' },
  events: { method: 'GET', of: 'events', path: '' },
  verify: { method: 'GET', of: 'events', path: '/verify' },
  mails: { method: 'GET', of: 'mails', path: '' },
} as const

export async function open (
  { settings: { header, identifiers, transport } }: Spine, { routes, mail }: PageSettings
): Promise<Open<undefined, never>> {
  /** What the page has to know of the app. It is the same for everybody: nobody has signed in yet. */
  function factsOf (scope: Scope) {
    const has = ({ method, of, path }: typeof parts[keyof typeof parts]) =>
      routes[of] !== undefined && scope.hasRoute({ method, url: `${scope.prefix}${routes[of]}${path}` })
    return {
      base: scope.prefix,
      routes,
      header: { name: header.name, scheme: header.scheme },
      // Where sessions may have either, this one has no cookies.
      wish: transport === 'both' ? { transport: 'body' } : {},
      loginField: identifiers.includes('username') ? 'username' : 'email',
      parts: Object.entries(parts).filter(([, part]) => has(part)).map(([name]) => name),
    }
  }

  return {
    face: undefined,
    routes: {
      adminPage (scope, path) {
        let page: string | undefined
        scope.get(path, { schema: schema as FastifySchema }, (_, reply) => {
          // When it is first asked for: by then every route is there.
          page ??= pageFor(factsOf(scope), mail?.appName)
          return sendPage(reply, page, policy)
        })
      },
    },
  }
}
