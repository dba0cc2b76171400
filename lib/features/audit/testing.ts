import { OptionsInvalid } from '../../http/errors.ts'
import type { Sealer } from './sealer.ts'

/** By the services of events: tests have nothing else of them. */
const sealers = new WeakMap<object, Sealer>()

export function keepSealer (services: object, sealer: Sealer): void {
  sealers.set(services, sealer)
}

/** @throws {OptionsInvalid} where events are not sealed */
export function sealerOf (services: object): Sealer {
  const sealer = sealers.get(services)
  if (!sealer) throw new OptionsInvalid('these accounts seal no events: they need events.store, and a secret')
  return sealer
}
