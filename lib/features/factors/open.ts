import type { EntityManager } from '@mikro-orm/core'
import { eachWithDeadline } from '../../http/deadline.ts'
import { createSpent } from '../../one-time/spent.ts'
import { createTickets } from '../../tokens/ticket.ts'
import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import type { Limits } from '../throttle/limits.ts'
import { resetFactors } from './admin.ts'
import { createRemoveFor } from './removing.ts'
import { createChangeFactors } from './change.ts'
import { createEnrolling, createFindHalfSignedIn, createFindSignedIn } from './enrolling.ts'
import type { FactorName, Factors, Method } from './factors.ts'
import { createHalfDoneTickets } from './half-done.ts'
import { createSettleRemoval } from './last-factor.ts'
import { manageFactors } from './manage.ts'
import type { FactorSettings } from './options.ts'
import { createOverview } from './overview.ts'
import { createRememberedDevices } from './remembered.ts'
import { createReset } from './reset.ts'
import { createFactorServices, type FactorServices } from './services.ts'
import { createFactorStep } from './step.ts'
import { createStoreChange, createTellOfFactors } from './storing.ts'
import { createTakeBackFactors } from './taking-back.ts'
import { TicketField, verifyFactor } from './verify.ts'

/** The order in which answers name methods. */
const shownFirst: FactorName[] = ['totp', 'passkey', 'recovery']

/** How long a ticket is good where nothing says so: with passkeys alone. */
const usualTicketSeconds = 300

export async function open (
  spine: Spine, settings: FactorSettings, { throttle }: { throttle: Limits }
): Promise<Open<Factors | undefined, { factors: FactorServices }>> {
  const { ticketSeconds = usualTicketSeconds, rememberSeconds } = settings.factors ?? {}
  const spent = createSpent(spine.database)
  const tickets = createHalfDoneTickets({
    spine, spent, tickets: createTickets(await spine.keyring.openTickets(), spine.settings, ticketSeconds),
  })
  const methods: Method[] = []

  async function of (em: EntityManager, userId: string): Promise<Method[]> {
    const found: Method[] = []
    for (const method of methods) if (await method.isSetUpFor(em, userId)) found.push(method)
    return found.toSorted((one, other) => shownFirst.indexOf(one.name) - shownFirst.indexOf(other.name))
  }

  const signedIn = createFindSignedIn(spine)
  const halfSignedIn = createFindHalfSignedIn(spine, tickets, signedIn)
  const telling = createTellOfFactors(spine)
  const store = createStoreChange(spine, telling, createSettleRemoval({ methods, of }))
  const factors: Factors = {
    methods,
    tickets,
    TicketSchema: TicketField(spine.settings.transport),
    spent,
    enrolling: createEnrolling(spine, halfSignedIn),
    halfSignedIn,
    signedIn,
    change: createChangeFactors(spine, { tickets, telling, store }),
    telling,
    removeFor: createRemoveFor(spine, telling, store),
    takeBack: createTakeBackFactors({ methods }, store),
    of,
    async reopen (tx, userId) {
      for (const { reopen } of methods) await reopen?.(tx, userId)
    },
  }
  const devices = createRememberedDevices(spine, rememberSeconds)
  const enrolable = () => methods.filter(({ isFactor }) => isFactor).map(({ name }) => name)
  spine.signIn.steps.push(createFactorStep(spine, factors, devices, enrolable))
  const overview = createOverview(spine, methods)
  const reset = createReset(spine, factors, factors.removeFor)
  const services = eachWithDeadline(createFactorServices(spine, { factors, overview, reset }))
  factors.services = services
  const manage = manageFactors(spine, factors, overview, rememberSeconds !== undefined)
  const verify = verifyFactor(spine, settings, throttle, factors, devices)

  return {
    face: factors,
    services: { factors: services },
    routes: {
      factors: (scope, path) => {
        manage(scope, path)
        verify(scope, path)
      },
      users: resetFactors(spine, factors, reset),
    },
  }
}
