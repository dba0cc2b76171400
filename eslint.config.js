import neostandard, { resolveIgnoresFromGitignore } from 'neostandard'

const message = 'It gives a plugin ten seconds to load, and a busy machine may take longer: import { Fastify } from test/support/fastify.ts.'

export default [
  ...neostandard({ ts: true, env: ['browser'], ignores: resolveIgnoresFromGitignore() }),
  {
    files: ['test/**'],
    ignores: ['test/support/fastify.ts', 'test/whole/types.ts', 'test/whole/consumer/**'],
    rules: { 'no-restricted-imports': ['error', { paths: [{ name: 'fastify', importNames: ['default', 'fastify'], message }] }] },
  },
]
