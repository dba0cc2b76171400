import { decide, isVoid, type RotationPolicy, type SessionState, type Verdict } from '../../../lib/sessions/rotation.ts'
import { refreshId, type RefreshClaims } from '../../../lib/tokens/claims.ts'

/** A session's row in memory; what no row of the plugin has is for rival schemes. */
export type Row = SessionState & { rotatedAt: Date, skips: number }

export type Token = Pick<RefreshClaims, 'sub' | 'ver' | 'gen' | 'br' | 'pa' | 'jti' | 'iat' | 'exp'>

export type Policy = RotationPolicy & { expiresInSeconds: number }

/** A server's rules. All but the judgement are those of the plugin, so that a rival differs in little. */
export interface Scheme {
  judge: (row: Row, token: Token, now: Date, policy: RotationPolicy, floor?: number) => Verdict
  /** Whoever is given a generation is given one and the same token. */
  isShared?: boolean
}

/** A refresh under way: what it showed and when it came, and the row that it was judged by. */
export interface Refresh {
  token: Token
  cameAt: Date
  found: Row
  verdict: Verdict
}

/** The plugin: `decide` itself. */
export const branching: Scheme = { judge: decide }

/** How far a floor lifts the generation: no lost commit gave out a number so high. */
const floorStep = 1000

const salt = 'salt'
const ids = new Map<string, string>()

export function beginning (
  login: Date,
  { expiresInSeconds, maxAgeSeconds = Infinity }: Policy & { maxAgeSeconds?: number }
): Row {
  const limit = new Date(Math.min(+login + maxAgeSeconds * 1000, 8.64e15))
  return {
    ver: 0,
    salt,
    gen: 0,
    prevGen: null,
    prevBranch: null,
    confirmedGen: 0,
    floorGen: 0,
    answeredAt: login,
    refreshExpiresAt: new Date(Math.min(+login + expiresInSeconds * 1000, +limit)),
    absoluteExpiresAt: limit,
    revokedAt: null,
    user: { id: 'ada', epoch: 0, disabledAt: null },
    rotatedAt: login,
    skips: 0,
  }
}

/** A token of the row's current generation; where tokens are shared, the one that there is. */
export function mint (
  { gen, prevGen, prevBranch, ver, user, refreshExpiresAt }: Row,
  br: string,
  now: Date,
  { isShared }: Scheme = branching
): Token {
  const branch = isShared ? 'shared' : br
  return {
    sub: user.id,
    ver,
    gen,
    br: branch,
    pa: prevGen === null ? null : { gen: prevGen, br: prevBranch! },
    jti: idOf(gen, branch),
    iat: Math.floor(+now / 1000),
    exp: Math.floor(+refreshExpiresAt / 1000),
  }
}

function idOf (gen: number, br: string): string {
  const key = `${gen} ${br}`
  if (!ids.has(key)) ids.set(key, refreshId(salt, gen, br))
  return ids.get(key)!
}

/** What a statement leaves: the row, and the token of the answer, if there is one already. */
export interface Left { row: Row, answer?: Token }

/**
 * The statement of a verdict on the row as it is by now: nothing where it changes no row, and the row is read again.
 */
export function write (
  scheme: Scheme,
  policy: Policy,
  row: Row,
  { token, cameAt, found, verdict }: Refresh,
  now: Date,
  br: string
): Left | undefined {
  const confirms = policy.replay === 'until-confirmed'
  const isUnmoved = row.gen === found.gen && row.revokedAt === null

  if (verdict === 'SAME' && token.gen === found.gen) return { row, answer: token }
  if (verdict === 'ADOPT') return { row: isUnmoved ? adopted(row, token) : row }
  if (verdict === 'ROTATE') {
    return isUnmoved
      ? answered({ prevGen: found.gen, prevBranch: token.br, confirmedGen: found.gen, skips: 0, ...nextLife() })
      : undefined
  }

  const isUnseen = !confirms || row.confirmedGen < found.gen
  if (verdict === 'SKIP') {
    const isLost = isUnmoved && isUnseen && row.prevGen === found.prevGen && +row.answeredAt === +found.answeredAt
    return isLost ? answered({ skips: found.skips + 1, ...nextLife() }) : undefined
  }

  const isKnown = (confirms && found.confirmedGen === found.gen) || found.answeredAt >= cameAt
  if (isKnown) return { row, answer: mint(found, br, now, scheme) }
  return isUnmoved && isUnseen && row.answeredAt < cameAt ? answered({ answeredAt: cameAt }) : undefined

  function nextLife () {
    const idle = Math.min(+now + policy.expiresInSeconds * 1000, +found.absoluteExpiresAt)
    return { gen: found.gen + 1, answeredAt: now, rotatedAt: now, refreshExpiresAt: new Date(idle) }
  }

  function answered (change: Partial<Row>): Left {
    const left = { ...row, ...change }
    return { row: left, answer: mint(left, br, now, scheme) }
  }
}

function adopted (row: Row, { gen, pa, iat, exp }: Token): Row {
  const issued = new Date(iat * 1000)
  const [prevGen, prevBranch] = pa ? [pa.gen, pa.br] : [null, null]
  return {
    ...row,
    gen,
    prevGen,
    prevBranch,
    answeredAt: issued,
    rotatedAt: issued,
    refreshExpiresAt: new Date(exp * 1000),
    ...(!pa && { floorGen: gen }),
  }
}

/**
 * An access token of this generation was seen: the row then, or nothing where its answer was taken for lost, and the
 * session ends.
 */
export function confirmed (row: Row, gen: number): Row | undefined {
  if (row.gen === gen && row.confirmedGen < gen) return { ...row, confirmedGen: gen }
  return isVoid(row, gen) ? undefined : row
}

/** A proof of who one is, given with an access token of this generation; nothing where that is below the floor. */
export function lifted (row: Row, shown: number, now: Date): Row | undefined {
  if (row.revokedAt || row.floorGen > shown) return
  const gen = row.gen + floorStep
  return { ...row, gen, floorGen: gen, prevGen: null, prevBranch: null, answeredAt: now }
}
