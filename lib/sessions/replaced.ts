import { TokenRevoked } from './errors.ts'

const replaced = new WeakSet<object>()

/** The error for a session that is over because its browser has begun another one. */
export function sessionReplaced (): Error {
  const error = new TokenRevoked()
  replaced.add(error)
  return error
}

/**
 * True for an error of `sessionReplaced`: its answer clears no cookies, since they are those of the new session by now.
 */
export function isOfReplaced (error: object): boolean {
  return replaced.has(error)
}
