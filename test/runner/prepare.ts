// Makes the test runner ready for this folder, where it is not: without its TypeScript compiler, which Node needs no
// more. What it makes knows the folder by its whole path, so that a checkout that was copied or moved needs it anew.
import { execFileSync } from 'node:child_process'
import { realpathSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const made = join(root, '.tap', 'plugins')

/** Made since the last install, and here. */
function isReady (): boolean {
  try {
    realpathSync(join(root, 'node_modules', '@tapjs', 'test', 'test-built', 'node_modules'))
    return (
      realpathSync(join(made, 'node_modules', '@tapjs', 'core')) ===
      realpathSync(join(root, 'node_modules', '@tapjs', 'core'))
    )
  } catch {
    return false
  }
}

if (!isReady()) {
  rmSync(made, { recursive: true, force: true })
  execFileSync('tap', ['build'], { cwd: root, stdio: 'inherit' })
}
