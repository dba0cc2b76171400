import diagnostics from 'node:diagnostics_channel'

/** What happened to an account, and where it was asked for. Code asks from nowhere. */
export interface AccountEvent<Reason extends string = string> {
  instance: string
  userId: string | null
  sessionId: string | null
  /** Which of several ways it happened in, where there are some. */
  reason: Reason | null
  ip: string | null
  userAgent: string | null
}

/**
 * Counts, and tells whoever listens. Each folder says in its events.ts what it counts and tells, and is given this with
 * the types of its own.
 */
export interface Telemetry<Counters extends object = object, Told extends object = Record<string, object>> {
  counters: Counters
  /** On the channel `fastify-jwt-accounts:<name>` of node:diagnostics_channel. */
  publish: <Name extends keyof Told & string>(name: Name, event: Omit<Told[Name], 'instance'>) => void
}

/** Counts from these on, and tells of the accounts `instance`. */
export function createTelemetry<Counters extends object> (instance: string, counters: Counters): Telemetry<Counters> {
  return {
    counters: { ...counters },
    publish (name, event) {
      diagnostics.channel(`fastify-jwt-accounts:${name}`).publish({ instance, ...event })
    },
  }
}
