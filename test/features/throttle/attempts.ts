import { createHmac, hkdfSync } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { password, secret } from '../../support/build.ts'
import type { Sql } from '../../support/databases.ts'

/** Sends attempts from the addresses of many networks. */
export function attempts (app: FastifyInstance) {
  const send = (
    method: 'POST' | 'PUT',
    url: string,
    payload: object,
    remoteAddress: string,
    headers: Record<string, string> = {}
  ) => app.inject({ method, url, payload, remoteAddress, headers })

  return {
    send,
    /** A login with a password that is wrong. */
    fail: (username: string, remoteAddress: string, headers?: Record<string, string>) =>
      send('POST', '/auth/login', { username, password: 'not at all the password' }, remoteAddress, headers),
    succeed: (username: string, remoteAddress: string, headers?: Record<string, string>) =>
      send('POST', '/auth/login', { username, password }, remoteAddress, headers),
  }
}

/** An address in a network of its own. */
export function address (index: number): string {
  return `10.${index >> 16 & 255}.${index >> 8 & 255}.${index & 255}`
}

/** Lets so many do something at once. */
export function together<Result> (count: number, act: (index: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => act(index)))
}

/** How many answers have this status. */
export function countOf (answers: { statusCode: number }[], status: number): number {
  return answers.filter(({ statusCode }) => statusCode === status).length
}

const leakMs = { 'account-network': 300_000, network: 10_000, account: 600_000 }

/** The key of what is counted. */
const key = Buffer.from(hkdfSync('sha256', secret, '', 'fastify-jwt-accounts/throttle/v1', 32))

/** How many failures are in a bucket, as its row has it. */
export async function failuresIn (sql: Sql, kind: keyof typeof leakMs, name: string): Promise<number> {
  const id = createHmac('sha256', key).update(`${kind} ${name}`).digest('hex')
  const row = await sql.get('select * from accounts_throttle where id = ?', id)
  return Math.max(0, Math.ceil(((row?.drained_at ?? 0) - Date.now()) / leakMs[kind]))
}
