import type { EntityManager } from '@mikro-orm/core'
import { createSpent } from '../../one-time/spent.ts'
import { createTickets } from '../../tokens/ticket.ts'
import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import type { Limits } from '../throttle/limits.ts'
import { createChangeFactors } from './change.ts'
import { createEnrolling } from './enrolling.ts'
import type { Factors, Method } from './factors.ts'
import { createHalfDoneTickets } from './half-done.ts'
import type { FactorSettings } from './options.ts'
import { createRememberedDevices } from './remembered.ts'
import { createFactorStep } from './step.ts'
import { verifyFactor } from './verify.ts'

/** How long a ticket is good where nothing says so: with passkeys alone. */
const usualTicketSeconds = 300

export async function open (
  spine: Spine, settings: FactorSettings, { throttle }: { throttle: Limits }
): Promise<Open<Factors, never>> {
  const { ticketSeconds = usualTicketSeconds, rememberSeconds } = settings.factors ?? {}
  const spent = createSpent(spine.database)
  const tickets = createHalfDoneTickets({
    spine, spent, tickets: createTickets(await spine.keyring.openTickets(), spine.settings, ticketSeconds),
  })
  const methods: Method[] = []
  const factors: Factors = {
    methods,
    tickets,
    spent,
    enrolling: createEnrolling(spine, tickets),
    change: createChangeFactors(spine, tickets),
    async of (em: EntityManager, userId: string) {
      const found: Method[] = []
      for (const method of methods) if (await method.isSetUpFor(em, userId)) found.push(method)
      return found
    },
  }
  const devices = createRememberedDevices(spine, rememberSeconds)
  const enrolable = () => methods.filter(({ isFactor }) => isFactor).map(({ name }) => name)
  spine.signIn.steps.push(createFactorStep(spine, factors, devices, enrolable))

  return {
    face: factors,
    routes: { factors: verifyFactor(spine, settings, throttle, factors, devices) },
  }
}
