import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/**
 * An empty folder, gone when all of the test has ended, the app too. Its path is short wherever the checkout is: that
 * of a Unix socket may have 107 bytes.
 */
export function temporaryFolder (t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'accounts-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return folder
}
