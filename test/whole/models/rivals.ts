import { decide, type RotationPolicy } from '../../../lib/sessions/rotation.ts'
import { branching, type Row, type Scheme, type Token } from './server.ts'

const isWithin = (since: Date | number, now: Date, { windowSeconds }: RotationPolicy) =>
  +now - +since < windowSeconds * 1000

/**
 * The token before is answered with the current one for a while after it was first used, whoever comes (GoTrue, Auth0's
 * leeway).
 */
const reuseInterval: Scheme = {
  isShared: true,
  judge (row, token, now, policy) {
    if (token.gen === row.gen) return 'ROTATE'
    return token.gen === row.prevGen && isWithin(row.rotatedAt, now, policy) ? 'SAME' : 'REUSE'
  },
}

const mostSkips = 5

/** All are given one token, and a successor that nobody showed is skipped, so many times in a row. */
const boundedSkips: Scheme = {
  isShared: true,
  judge (row, token, now, policy) {
    const isOpen = isWithin(row.answeredAt, now, policy)
    if (token.gen === row.gen) return isOpen && row.gen > 0 ? 'SAME' : 'ROTATE'
    if (token.gen !== row.prevGen) return 'REUSE'
    if (isOpen) return 'SAME'
    const isFree = policy.replay === 'until-superseded' || row.confirmedGen < row.gen
    return isFree && row.skips < mostSkips ? 'SKIP' : 'REUSE'
  },
}

/** The plugin's table, but a sibling of what was rotated is forgiven while it is young itself. */
const youngSiblings: Scheme = {
  judge (row, token, now, policy) {
    const verdict = decide(row, token, now, policy)
    const isYoung =
      isSibling(row, token) && isWithin(row.answeredAt, now, policy) && isWithin(token.iat * 1000, now, policy)
    return verdict === 'REUSE' && isYoung ? 'SAME' : verdict
  },
}

const isSibling = (row: Row, token: Token) => token.gen === row.prevGen && token.br !== row.prevBranch

/** Every token works once, and a second use ends the session (RFC 9700 §4.14.2). */
const singleUse: Scheme = {
  judge: (row, token, now, policy) => decide(row, token, now, { ...policy, windowSeconds: 0 }),
}

export const schemes = {
  'this plugin': branching,
  'reuse interval': reuseInterval,
  'bounded skips': boundedSkips,
  'young siblings': youngSiblings,
  'single use': singleUse,
} satisfies Record<string, Scheme>
