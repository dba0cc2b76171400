import type { SettleRemoval } from './storing.ts'
import type { Factors } from './factors.ts'

export function createSettleRemoval ({ methods, of }: Pick<Factors, 'methods' | 'of'>): SettleRemoval {
  return async (tx, userId, needsFactor) => {
    for (const { isFactor, asks } of await of(tx, userId)) {
      if (isFactor && (needsFactor || !asks || await asks(tx, userId))) return false
    }
    for (const { isFactor, remove } of methods) if (!isFactor) await remove(tx, userId)
    return true
  }
}
