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
  'one-time': ['lib/one-time/'],
  mail: ['lib/mail/'],
  transport: ['lib/transport/'],
  guards: ['lib/guards/'],
  openapi: ['lib/openapi/'],
  'sign-in': ['lib/sign-in/'],
  features: ['lib/features/', 'lib/features.ts'],
  options: ['lib/errors.ts', 'lib/options.ts', 'lib/settings.ts', 'types/options.ts'],
  entities: ['lib/entities.ts'],
  types: ['types/'],
  boot: ['lib/accounts.ts', 'lib/decorators.ts', 'lib/index.ts'],
  entries: ['lib/cli/', 'lib/client/', 'lib/providers.ts', 'lib/testing.ts'],
}

/** How many files may lie at the root of lib/. */
export const mostAtRoot = 10
