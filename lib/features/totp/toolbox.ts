import { randomBytes } from 'node:crypto'
import { OptionsInvalid } from '../../http/errors.ts'
import { User } from '../../users/entity.ts'
import { NotFound } from '../../users/errors.ts'
import type { RecoveryCodes } from '../recovery-codes/recovery-codes.ts'
import type { Spine } from '../spine.ts'
import type { TotpParts } from './method.ts'
import type { OlderRow, Success } from './rows.ts'
import { stepAt } from './step.ts'

/** What tests and the command line do with authenticator apps, and nobody else. */
export interface Toolbox {
  /** Sets an app up for a user without asking anybody. `codeAt` is its code at a step, `lastStep` the last one used. */
  enrol: (userId: string) => Promise<{ codeAt: (step: number) => string, lastStep: number, recoveryCodes: string[] }>
  /** Seals all seeds of older keys with the first one. */
  reseal: () => Promise<Resealed>
}

/** What has become of seeds. */
export interface Resealed {
  /** How many are sealed with the first key from now on. */
  resealed: number
  /** How many no key opens. */
  unreadable: number
}

/** By the services of second factors: tests and the command line have nothing else of the accounts. */
const toolboxes = new WeakMap<object, Toolbox>()

export function keepToolbox (services: object, toolbox: Toolbox): void {
  toolboxes.set(services, toolbox)
}

/** @throws {OptionsInvalid} where the accounts have no authenticator apps */
export function toolboxOf (services: object | undefined): Toolbox {
  const toolbox = services && toolboxes.get(services)
  if (!toolbox) throw new OptionsInvalid('there are no authenticator apps without the option factors')
  return toolbox
}

const pageSize = 100

export function createToolbox (
  { database, sessions: { endings, revocationLog }, users: { lookUp } }: Spine,
  { codes, rows, seeds }: TotpParts,
  recoveryCodes: RecoveryCodes
): Toolbox {
  /** What a row is to have from now on. Undefined where no key opens it. */
  function sealedAnew ({ user: userId, sealed: before, keyId }: OlderRow): Omit<Success, 'lastStep'> | undefined {
    try {
      const { seed: _, ...fresh } = seeds.open({ sealed: before, keyId }, userId)
      return { userId, before, ...fresh }
    } catch {
      return undefined
    }
  }

  return {
    enrol: (userId) => revocationLog.record(async (tx, write) => {
      if (!await lookUp.locked(tx, userId)) throw new NotFound()
      const seed = randomBytes(20)
      const lastStep = stepAt(Date.now()) - 1
      await rows.remove(tx, userId)
      await rows.insert(tx, userId, { ...seeds.seal(seed, userId), lastStep })
      const now = new Date()
      await tx.nativeUpdate(User, { id: userId }, { mfaAt: now, factorsChangedAt: now, updatedAt: now })
      const given = await recoveryCodes.renew(tx, userId)
      await endings.endOthers(tx, write, userId, 'factors')
      return { codeAt: (step: number) => codes.codeAt(seed, step), lastStep, recoveryCodes: given }
    }),

    async reseal () {
      const done: Resealed = { resealed: 0, unreadable: 0 }
      let after: string | undefined
      do {
        const page = await database.run((em) => rows.older(em, seeds.keyId, pageSize, after))
        for (const row of page) {
          const next = sealedAnew(row)
          // Who signs in meanwhile has the seed sealed anew by that.
          if (next) done.resealed += Number(await database.run((em) => rows.reseal(em, next)))
          else done.unreadable++
        }
        after = page.at(-1)?.user
      } while (after !== undefined)
      return done
    },
  }
}
