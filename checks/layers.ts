/**
 * The folders of the source from the ground up, each with what stands for it: folders, whose names end in a slash, and
 * files. Of two names that fit a file the longer counts.
 */
export const layers: Record<string, string[]> = {
  checks: ['lib/checks/'],
  secrets: ['lib/secrets/'],
  host: ['lib/host/'],
  http: ['lib/http/'],
  database: ['lib/database/'],
  events: ['lib/events/'],
  tokens: ['lib/tokens/'],
  users: ['lib/users/'],
  sessions: ['lib/sessions/'],
  transport: ['lib/transport/'],
  guards: ['lib/guards/'],
  openapi: ['lib/openapi/'],
  'sign-in': ['lib/sign-in/'],
  features: ['lib/features/'],
  options: ['lib/errors.ts', 'lib/options.ts', 'lib/settings.ts', 'types/options.ts'],
  entities: ['lib/entities.ts'],
  types: ['types/'],
  boot: ['lib/context.ts', 'lib/decorators.ts', 'lib/index.ts'],
  entries: ['lib/cli/', 'lib/testing.ts'],
}

/** What still imports from a layer above its own, by what is imported. An entry that is needed no more has to go. */
export const stillUp: Record<string, string[]> = {
  'lib/context.ts': [
    'lib/features/passwords/change.ts',
    'lib/features/passwords/login.ts',
    'lib/features/passwords/reauthenticate.ts',
    'lib/features/register.ts',
    'lib/features/sessions/logout.ts',
    'lib/features/sessions/refresh.ts',
    'lib/features/sessions/sessions.ts',
    'lib/features/token-services/introspect.ts',
    'lib/features/token-services/jwks.ts',
    'lib/features/token-services/revoke.ts',
    'lib/features/users/admin.ts',
    'lib/features/users/me.ts',
  ],
  'lib/features/passwords/options.ts': ['lib/sign-in/schema.ts'],
  'lib/features/throttle/devices.ts': ['lib/sign-in/grant.ts'],
  'lib/sign-in/schema.ts': ['lib/openapi/document.ts'],
}

/** How many files may lie at the root of lib/. */
export const mostAtRoot = 10
