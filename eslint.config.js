import neostandard, { resolveIgnoresFromGitignore } from 'neostandard'

export default neostandard({ ts: true, env: ['browser'], ignores: resolveIgnoresFromGitignore() })
