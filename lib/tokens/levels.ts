/**
 * How well it was proved who begins a session, as `acr` says it (RFC 9068 §2.2.1): by one factor (`aal1`), by two
 * (`aal2`), or so that no other site can pass the proof on, by a passkey (`phr`, of OpenID EAP).
 */
export type Level = typeof levels[number]

/** From the weakest on: each satisfies all before it. */
export const levels = ['aal1', 'aal2', 'phr'] as const

/** What was proved: how well, and by which methods (`amr`, RFC 8176). */
export interface Proved {
  acr: Level
  amr: string[]
}

/** True where this level is enough for who asks for that one. */
export function satisfies (level: Level, wanted: Level): boolean {
  return levels.indexOf(level) >= levels.indexOf(wanted)
}

/** What is proved by one factor more: its level, and its methods after those of before, each once. */
export function provedAfter (before: string[], { acr, amr }: Proved): Proved {
  return { acr, amr: [...new Set([...before, ...amr])] }
}

/** What a session has that has proved the one, and later the other: nothing lowers it. */
export function raisedBy (before: Proved, proved: Proved): Proved {
  return satisfies(proved.acr, before.acr) ? proved : before
}
