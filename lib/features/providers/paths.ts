import type { Seal } from '../../secrets/seal.ts'
import { NotFound } from '../../users/errors.ts'
import type { ProviderClient } from './client.ts'
import type { Flow } from './flow.ts'
import { createSealedTexts, type SealedTexts } from './sealed.ts'

/** A provider, with what is of it alone. */
export interface ProviderPath {
  client: ProviderClient
  /** States of this provider: no other's open. */
  flows: SealedTexts<Flow>
  /** Where it sends browsers back: a URL of its own, as it has to be registered there. */
  callback: string
}

/** Finds providers by their ids in paths. */
export interface ProviderPaths {
  /** @throws {NotFound} */
  of: (id: string) => ProviderPath
  NotFound: typeof NotFound
  all: ProviderPath[]
}

/** `base`: where our routes of providers are reached from outside. */
export function createProviderPaths (clients: ProviderClient[], seal: Seal, name: string, base: string): ProviderPaths {
  const all = clients.map((client) => {
    const { provider: { id } } = client
    const flows = createSealedTexts<Flow>(seal, name, 'provider-flow', id)
    return { client, flows, callback: `${base}/${id}/callback` }
  })

  return {
    NotFound,
    all,
    of (id) {
      const found = all.find(({ client }) => client.provider.id === id)
      if (!found) throw new NotFound()
      return found
    },
  }
}
