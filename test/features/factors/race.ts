import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { withFewConnections } from '../../support/databases.ts'

const processes = 4

/** How many requests there are where each of the processes sends eight. */
export const crowd = processes * 8

/** A request below `/auth`, by POST unless it says otherwise. */
export interface Sent {
  method?: 'POST' | 'DELETE'
  url: string
  token?: string
  payload?: object
}

async function startVerifier (t: Test, db: string, options: AccountsOptions): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'verifier.ts'), [withFewConnections(db), JSON.stringify(options)], { execArgv: [] })
  t.teardown(async () => {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  })
  await once(child, 'message')
  return child
}

/**
 * Four processes with an app each on one database, and a way to send them requests at once, each its share. What comes
 * of each is `in` or the code of its refusal, in the same order.
 */
export async function startRace (t: Test, db: string, options: AccountsOptions) {
  const verifiers = await Promise.all(Array.from({ length: processes }, () => startVerifier(t, db, options)))

  return async (requests: Sent[]): Promise<string[]> => {
    const share = Math.ceil(requests.length / processes)
    const said = await Promise.all(verifiers.map(async (verifier, index) => {
      const answer = once(verifier, 'message')
      verifier.send(requests.slice(index * share, (index + 1) * share))
      const [codes] = await answer as [string[]]
      return codes
    }))
    return said.flat()
  }
}

export const winners = (answers: string[]) => answers.filter((answer) => answer === 'in').length

/** The refusals, each once. */
export const refusals = (answers: string[]) => [...new Set(answers.filter((answer) => answer !== 'in'))]
