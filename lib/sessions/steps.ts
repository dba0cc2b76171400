import { storable, type Client } from '../http/request.ts'
import type { RefreshClaims } from '../tokens/claims.ts'
import type { Session } from './entity.ts'
import { expiring } from './births.ts'
import { leastFloor, type createMoves } from './moves.ts'
import type { SessionSettings } from './options.ts'
import type { Verdict } from './rotation.ts'

/** A way in which a session moves on, and the changes of its row. */
export interface Step {
  how: keyof ReturnType<typeof createMoves>
  change: Partial<Session>
}

/** A refresh that is to be answered. */
export interface Refreshing {
  claims: RefreshClaims
  client: Client
  /** When the request came. */
  cameAt: Date
}

/**
 * How a session moves on for a token with this verdict, which docs/sessions.md explains. Undefined where it stays as it
 * is.
 */
export function stepFor (
  { claims, client, cameAt }: Refreshing, session: Session, verdict: Verdict, policy: SessionSettings['refresh']
): Step | undefined {
  const { gen, confirmedGen, answeredAt } = session
  if (verdict === 'ADOPT') return adoption(session, claims)
  if (verdict === 'SKIP') return { how: 'skip', change: nextLife(session, client, policy) }
  if (verdict === 'ROTATE') {
    const spent = { prevGen: gen, prevBranch: claims.br, confirmedGen: gen }
    return { how: 'rotate', change: { ...nextLife(session, client, policy), ...spent } }
  }
  // SAME. As long as nobody has shown the current generation, each client that is given a token of it has the whole
  // window to receive it: the window counts from when the last of them came.
  const isConfirmed = policy.replay === 'until-confirmed' && confirmedGen >= gen
  const isSettled = claims.gen === gen || isConfirmed || answeredAt >= cameAt
  return isSettled ? undefined : { how: 'repeat', change: { answeredAt: cameAt } }
}

/** The next generation of a session, with a new idle time. */
function nextLife (session: Session, client: Client, { expiresInSeconds }: SessionSettings['refresh']) {
  const now = new Date()
  const idle = now.getTime() + expiresInSeconds * 1000
  return {
    gen: session.gen + 1,
    answeredAt: now,
    lastUsedAt: now,
    ...expiring(new Date(Math.min(idle, session.absoluteExpiresAt.getTime()))),
    ...storable(client),
  }
}

/** Makes the row again as it was when it gave this token out, as far as the claims say. */
function adoption (session: Session, { gen, pa, iat, exp }: RefreshClaims): Step {
  const adopted = {
    gen,
    prevGen: pa?.gen ?? null,
    prevBranch: pa?.br ?? null,
    answeredAt: new Date(iat * 1000),
    ...expiring(new Date(exp * 1000)),
  }
  const floorGen = pa ? leastFloor(session.gen, gen) : gen
  return floorGen === undefined
    ? { how: 'adopt', change: adopted }
    : { how: 'adoptFloor', change: { ...adopted, floorGen } }
}
