/**
 * The folders of the source from the ground up, each with what stands for it today: folders, whose names end in a
 * slash, and files. Of two names that fit a file the longer counts.
 */
export const layers: Record<string, string[]> = {
  checks: [
    'lib/any-error.ts', 'lib/compiling.ts', 'lib/durations.ts', 'lib/environment.ts', 'lib/frozen.ts',
    'lib/keywords.ts', 'lib/missing-package.ts', 'lib/multiple-of.ts', 'lib/option-groups.ts', 'lib/plain-object.ts',
    'lib/schema-parts.ts', 'lib/typebox-1.ts', 'lib/users/field-schema.ts',
  ],
  secrets: ['lib/equal.ts', 'lib/tokens/secret.ts'],
  host: ['lib/host/', 'lib/callback.ts', 'lib/hooks.ts'],
  http: [
    'lib/http/', 'lib/components.ts', 'lib/deadline.ts', 'lib/error-code.ts', 'lib/errors.ts', 'lib/input.ts',
    'lib/our-error.ts', 'lib/route-path.ts', 'lib/routes/gone.ts', 'lib/routes/scope.ts', 'lib/service-options.ts',
    'lib/wording.ts',
  ],
  database: [
    'lib/databases/', 'lib/migrations/', 'lib/database.ts', 'lib/from-row.ts', 'lib/prune.ts', 'lib/clocks.ts',
  ],
  events: ['lib/entities/event.ts', 'lib/events.ts', 'lib/telemetry.ts'],
  tokens: ['lib/tokens/'],
  users: [
    'lib/entities/unique-field.ts', 'lib/entities/user.ts', 'lib/users/fields.ts', 'lib/users/identifiers.ts',
    'lib/users/known-users.ts', 'lib/users/look-up.ts', 'lib/users/options.ts', 'lib/users/public-user.ts',
    'lib/users/taken.ts', 'lib/users/unique-fields.ts',
  ],
  sessions: [
    'lib/sessions/', 'lib/entities/revision.ts', 'lib/entities/revoked-token.ts', 'lib/entities/session.ts',
    'lib/health.ts',
  ],
  transport: [
    'lib/transport/', 'lib/cookie-names.ts', 'lib/cookies.ts', 'lib/guards/csrf.ts', 'lib/guards/locate.ts',
  ],
  guards: ['lib/guards/'],
  openapi: ['lib/examples.ts', 'lib/openapi.ts'],
  'sign-in': ['lib/sign-in/', 'lib/grants.ts'],
  features: [
    'lib/passwords/', 'lib/routes/', 'lib/throttle/', 'lib/users/', 'lib/entities/throttle.ts', 'lib/services.ts',
    'lib/sessions/services.ts',
  ],
  options: ['lib/options-schema.ts', 'lib/options.ts', 'lib/problems.ts', 'lib/settings.ts'],
  types: ['types/'],
  boot: ['lib/context.ts', 'lib/decorators.ts', 'lib/index.ts'],
  entries: ['lib/cli/', 'lib/testing.ts'],
}

/** What still imports from a layer above its own, by what is imported. An entry that is needed no more has to go. */
export const stillUp: Record<string, string[]> = {
  'lib/context.ts': [
    'lib/routes/introspect.ts', 'lib/routes/jwks.ts', 'lib/routes/login.ts', 'lib/routes/logout.ts',
    'lib/routes/me.ts', 'lib/routes/password.ts', 'lib/routes/reauthenticate.ts', 'lib/routes/refresh.ts',
    'lib/routes/register.ts', 'lib/routes/revoke.ts', 'lib/routes/sessions.ts', 'lib/routes/users.ts',
  ],
  'lib/databases/url.ts': ['lib/keywords.ts'],
  'lib/entities/event.ts': ['lib/databases/dialects.ts', 'lib/prune.ts'],
  'lib/entities/revision.ts': ['lib/database.ts', 'lib/databases/dialects.ts'],
  'lib/entities/revoked-token.ts': ['lib/databases/dialects.ts', 'lib/prune.ts'],
  'lib/entities/session.ts': ['lib/databases/dialects.ts', 'lib/prune.ts'],
  'lib/entities/throttle.ts': ['lib/databases/dialects.ts', 'lib/prune.ts'],
  'lib/entities/unique-field.ts': ['lib/databases/dialects.ts'],
  'lib/entities/user.ts': ['lib/database.ts', 'lib/databases/borrow.ts', 'lib/databases/dialects.ts'],
  'lib/options-schema.ts': ['lib/guards/options.ts'],
  'lib/options.ts': ['lib/environment.ts', 'lib/hooks.ts'],
  'lib/problems.ts': ['lib/guards/options.ts'],
  'lib/routes/schemas.ts': ['lib/openapi.ts'],
  'lib/sessions/revocations.ts': ['lib/prune.ts'],
  'lib/throttle/devices.ts': ['lib/grants.ts'],
  'lib/throttle/network.ts': ['lib/sessions/refresh-report.ts'],
}

/** How many files lie at the root of lib/: ten are to be left. */
export const filesAtRoot = 45
