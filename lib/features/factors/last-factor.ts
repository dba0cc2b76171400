import type { SettleRemoval } from './storing.ts'
import type { Factors } from './factors.ts'

export function createSettleRemoval ({ methods, of }: Pick<Factors, 'methods' | 'of'>): SettleRemoval {
  return async (tx, userId) => {
    const left = await of(tx, userId)
    if (left.some(({ isFactor }) => isFactor)) return false
    for (const { isFactor, remove } of methods) if (!isFactor) await remove(tx, userId)
    return true
  }
}
