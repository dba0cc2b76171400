import type { ApiKeys } from '../api-keys/open.ts'
import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { exportAccount } from './export-account.ts'
import type { ExportSettings } from './options.ts'

export async function open (
  spine: Spine, settings: ExportSettings, { apiKeys }: { apiKeys: ApiKeys | undefined }
): Promise<Open<undefined, never>> {
  return { face: undefined, routes: { export: exportAccount(spine, apiKeys, settings) } }
}
