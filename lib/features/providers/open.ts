import { randomBytes } from 'node:crypto'
import { eachWithDeadline } from '../../http/deadline.ts'
import { createSpent } from '../../one-time/spent.ts'
import { createSeal, readSealKey } from '../../secrets/seal.ts'
import type { Open } from '../feature.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import type { Registering } from '../register/open.ts'
import type { Spine } from '../spine.ts'
import type { Limits } from '../throttle/limits.ts'
import { createArrive } from './arriving.ts'
import { authorize } from './authorize.ts'
import { createBinding } from './binding.ts'
import { callback } from './callback.ts'
import { createProviderClient } from './client.ts'
import type { ProviderCounters } from './events.ts'
import { exchange } from './exchange.ts'
import type { FlowCode } from './flow.ts'
import { createGiveTokens } from './giving-tokens.ts'
import { createKeeping } from './keeping.ts'
import { openLibrary } from './library.ts'
import { listProviders } from './list-providers.ts'
import { createReadCandidate } from './newcomers.ts'
import type { ProviderSettings } from './options.ts'
import { ownIdentities } from './own-identities.ts'
import type { ProviderParts } from './parts.ts'
import { createProviderPaths } from './paths.ts'
import { redeem } from './redeeming.ts'
import { createRegisterNewcomer } from './registering.ts'
import { createRemoveIdentity } from './removing.ts'
import { createReadReturnTo } from './return-to.ts'
import { createRows } from './rows.ts'
import { createSealedTexts } from './sealed.ts'
import { createIdentityServices, type IdentityServices } from './services.ts'
import { createStoredTokens } from './stored-tokens.ts'
import { createRegistrationTickets } from './tickets.ts'

interface Needs {
  throttle: Limits
  /** Undefined where there are no mails. */
  mail: MailProofs | undefined
  register: Registering
}

export async function open (
  spine: Spine, settings: ProviderSettings, { throttle, mail, register }: Needs
): Promise<Open<undefined, { identities: IdentityServices }>> {
  const { database, log, settings: { name, sealKeys }, signIn, transport: { cookies } } = spine
  // A process that only verifies tokens may have no key: it has nothing to seal.
  const seal = createSeal(sealKeys.length > 0 ? sealKeys : [readSealKey(randomBytes(32))])
  const counters = spine.telemetry.counters as ProviderCounters
  const library = openLibrary()
  const clients = settings.providers.map((provider) => createProviderClient(provider, { library, log, counters }))
  const parts: ProviderParts = {
    spine,
    settings,
    throttle,
    register,
    counters,
    clients,
    rows: createRows(database),
    spent: createSpent(database),
    stored: createStoredTokens(seal, name, log),
  }
  const { rows } = parts
  const isThere = new Set(settings.providers.map(({ id }) => id))
  signIn.waysIn.push(async (tx, userId) =>
    (await rows.ofUser(tx, userId)).some(({ provider }) => isThere.has(provider)))

  const keeping = createKeeping(parts)
  const tickets = register.insteads && settings.routes.register !== undefined
    ? createRegistrationTickets(parts, keeping, seal)
    : undefined
  if (tickets) register.insteads!.push(tickets.instead)
  const registerNewcomer = createRegisterNewcomer(parts, keeping, createReadCandidate(spine), tickets)
  const arrive = createArrive(parts, keeping, registerNewcomer)
  const remove = createRemoveIdentity(spine, rows)

  mail?.reclaimsAlso.push(async (tx, { id }) => { await rows.removeSince(tx, id) })
  mail?.takesBackAlso.push(async (tx, { id: userId }, { since, note, client }) => {
    for (const { provider } of await rows.removeSince(tx, userId, since)) {
      await note({ type: 'identity-unlinked', reason: provider, userId, client })
    }
  })

  const binding = createBinding(cookies)
  const codes = createSealedTexts<FlowCode>(seal, name, 'provider-code', '*')
  const services = createIdentityServices(parts, keeping, remove, createGiveTokens(parts))
  return {
    face: undefined,
    services: { identities: eachWithDeadline(services) },
    routes: {
      providers (scope, path) {
        const base = `${settings.providerFlow.url}${scope.prefix}${path}`
        const paths = createProviderPaths(clients, seal, name, base)
        const way = { paths, binding, codes, redeem, arrive }
        const readReturnTo = createReadReturnTo(settings.providerFlow.url, settings.providerFlow.returnTo)
        const added = [
          listProviders(settings), authorize(parts, paths, binding, readReturnTo), callback(way), exchange(parts, way),
        ]
        for (const add of added) add(scope, path)
      },
      identities: ownIdentities(parts, remove),
    },
  }
}
