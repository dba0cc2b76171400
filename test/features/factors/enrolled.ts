import { createHmac } from 'node:crypto'
import { mock } from 'node:test'
import type { FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { build, buildOnFile, password } from '../../support/build.ts'

/** The code of a secret at a time, as RFC 6238 has it and written anew here. */
export function codeOf (secret: string, ms = Date.now()): string {
  const counter = Buffer.alloc(8)
  counter.writeBigInt64BE(BigInt(Math.floor(ms / 30_000)))
  const mac = createHmac('sha1', fromBase32(secret)).update(counter).digest()
  const number = mac.readUInt32BE(mac.at(-1)! & 15) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}

function fromBase32 (text: string): Buffer {
  const bits = [...text].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
  return Buffer.from(bits.join('').match(/.{8}/g)!.map((byte) => parseInt(byte, 2)))
}

/** A code that is of no step near this time. */
export function wrongCode (secret: string): string {
  const near = [-1, 0, 1].map((step) => codeOf(secret, Date.now() + step * 30_000))
  return ['000000', '111111', '222222', '333333'].find((code) => !near.includes(code))!
}

/** Stops the clock in the middle of a step, for a test that moves it by whole ones. */
export function stopClock (t: Test): (seconds: number) => void {
  const now = Math.floor(Date.now() / 30_000) * 30_000 + 15_000
  mock.timers.enable({ apis: ['Date'], now })
  t.teardown(() => mock.timers.reset())
  return (seconds) => mock.timers.tick(seconds * 1000)
}

type Built = Pick<Awaited<ReturnType<typeof build>>, 'app' | 'post'>

/** What there is to do with second factors in an app. */
export function factorsOf ({ app, post }: Built) {
  const send = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, token?: string, payload?: object) => app.inject({
    method,
    url: `/auth${url}`,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...payload && { payload },
  })
  const login = (username = 'ada') => post('/auth/login', { username, password })
  return {
    send,
    login,
    /** The ticket of a login. */
    ticketOf: async (username = 'ada'): Promise<string> => (await login(username)).json().ticket,
    verify: (ticket: string | undefined, proof: object) => post('/auth/factors/verify', { ticket, ...proof }),
    /** Sets up an authenticator app. */
    async enrol (token?: string, ticket?: string) {
      const begun = (await send('POST', '/factors/totp', token, { ticket })).json()
      const { enrolment, secret } = begun as { enrolment: string, secret: string }
      const answer = await send('PUT', '/factors/totp', token, { enrolment, code: codeOf(secret), ticket })
      return { begun, secret, answer, body: answer.json() }
    },
  }
}

/** An app with second factors, and Ada, who has an authenticator app and ten recovery codes. The clock stands still. */
export async function buildEnrolled (t: Test, options: AccountsOptions = {}, server: FastifyServerOptions = {}) {
  const tick = stopClock(t)
  const built = await buildOnFile(t, { factors: true, ...options }, server)
  const { access_token: token, user } = await built.signUp()
  const used = factorsOf(built)
  const { secret, body } = await used.enrol(token)

  return {
    ...built,
    ...used,
    tick,
    user,
    secret,
    tokens: body,
    recoveryCodes: body.recovery_codes as string[],
    /** The code of the step after the last one. */
    nextCode () {
      tick(30)
      return codeOf(secret)
    },
  }
}
