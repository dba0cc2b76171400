import neostandard, { resolveIgnoresFromGitignore } from 'neostandard'

const message = 'It gives a plugin ten seconds to load, and a busy machine may take longer: ' +
  'import { Fastify } from test/support/fastify.ts.'

export default [
  ...neostandard({ ts: true, env: ['browser'], ignores: resolveIgnoresFromGitignore() }),
  {
    files: ['test/**'],
    ignores: ['test/support/fastify.ts', 'test/whole/types.ts', 'test/whole/consumer/**'],
    rules: {
      'no-restricted-imports': ['error', {
        paths: [{ name: 'fastify', importNames: ['default', 'fastify'], message }],
      }],
    },
  },
  {
    // Migrations are frozen, and statements have lines of their own.
    ignores: ['lib/database/*/migrations.ts', 'lib/mail/*/migrations.ts'],
    rules: { '@stylistic/max-len': ['error', { code: 120, ignoreRegExpLiterals: true, ignoreUrls: true }] },
  },
  {
    // Texts of pages and statements, whose lines are their own.
    files: ['bench/**', 'checks/**', 'example/**', 'test/**'],
    rules: {
      '@stylistic/max-len': ['error', {
        code: 120, ignoreRegExpLiterals: true, ignoreUrls: true, ignoreTemplateLiterals: true, ignoreStrings: true,
      }],
    },
  },
]
