import { TokenRevoked } from './errors.ts'

const replaced = new WeakSet<object>()

/** The error for a session that is over because its browser has begun another one. */
export function sessionReplaced (): Error {
  const error = new TokenRevoked()
  replaced.add(error)
  return error
}

/** True for that error: what refuses such a session takes no cookies back, since by now they are those of the other. */
export function isOfReplaced (error: object): boolean {
  return replaced.has(error)
}
