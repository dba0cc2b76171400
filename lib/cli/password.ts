import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Io } from './command.ts'
import { Refused } from './errors.ts'

/** Of commands that set a password. It is never an argument: those stand in the list of processes and in histories. */
export const passwordFlags = {
  generate: { type: 'boolean', summary: 'makes a password and prints it, instead of asking for one' },
} as const

/** A password that nobody has to think up, or from a terminal, typed twice and not shown, or all that is piped in. */
export async function newPassword ({ generate = false }: { generate?: boolean }, io: Io): Promise<string> {
  if (generate) return randomBytes(24).toString('base64url')
  if (!io.stdin.isTTY) return piped(io)

  const password = await ask('Password: ', io)
  if (await ask('Repeat it: ', io) !== password) throw new Refused('The passwords differ: nothing was done')
  return password
}

async function piped ({ stdin }: Io): Promise<string> {
  const password = (await text(stdin)).replace(/\r?\n$/, '')
  if (password) return password
  throw new Refused(
    'There is no password on standard input: pipe one, as in printf %s "$PASSWORD" | fastify-jwt-accounts …, or ' +
    'use --generate'
  )
}

/** The terminal's own echo is off while readline has it, and readline's goes nowhere. */
async function ask (question: string, { stdin, stderr }: Io): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 })
  const { promise: given, reject: giveUp } = Promise.withResolvers<never>()
  lines.once('close', () => giveUp(new Refused('No password was given')))

  stderr.write(question)
  try {
    return await Promise.race([lines.question(''), given])
  } finally {
    stderr.write('\n')
    given.catch(() => {})
    lines.close()
  }
}
