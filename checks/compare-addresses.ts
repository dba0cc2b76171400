// Asks for mails to addresses that have an account and to others that have none, in any order, and tells how long the
// answers take: npm run compare:addresses. docs/testing-the-tests.md says what its figures mean.
import { setTimeout as pause } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import accounts, { type AccountsOptions } from '../lib/index.ts'
import { cheap, secret } from '../test/support/build.ts'
import { Fastify } from '../test/support/fastify.ts'
import { compare, median, shuffled } from '../test/support/ranks.ts'

const samples = 300
const warmUps = 30

/**
 * What is gross: of a known and an unknown address the known one is slower, or quicker, in more than 7 of 10 pairs.
 * Then a single request tells more than a guess. The chance by itself says little: with so many samples it also fails
 * on a few microseconds, which no network lets through. A look-up or a hash too much moves nearly all pairs.
 */
const mostShare = 0.7
const mostChance = 0.001

const password = 'correct horse battery staple'
const mail = { from: 'accounts@example.com', appName: 'Example', rate: 1000, links: { login: '/in', register: '/new' } }

/** An app that sends its mails to nowhere, with as many accounts as are asked for. */
async function build (options: AccountsOptions): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify()
  const free = { accountNetwork: 1_000_000, network: 1_000_000, account: 1_000_000 }
  await app.register(accounts, {
    db: ':memory:',
    secret,
    password: cheap,
    throttle: { ...free, mail: { address: 1_000_000, network: 1_000_000 } },
    mail: { ...mail, send: async () => {} },
    ...options,
  })
  await app.ready()
  for (let index = -warmUps; index < samples; index++) {
    await app.accounts.users.create({ email: addressOf('known', index), emailVerifiedAt: new Date(0) })
  }
  return app
}

/** Another one each time: an address gets one mail a minute. All have the same length. */
function addressOf (kind: Kind, index: number): string {
  return `${kind === 'known' ? 'someone' : 'anybody'}${String(index + 1000)}@example.com`
}

type Kind = 'known' | 'unknown'
type Ask = (app: FastifyInstance, email: string) => Promise<() => Promise<{ statusCode: number }>>

const post = (app: FastifyInstance, url: string, payload: object) => app.inject({ method: 'POST', url, payload })

/** What is asked, each once it is prepared. */
const asks: Record<string, { options: AccountsOptions, ask: Ask }> = {
  forgot: {
    options: { email: { verification: 'none' } },
    ask: async (app, email) => () => post(app, '/auth/password/forgot', { email }),
  },
  resend: {
    options: { email: { verification: 'none' } },
    async ask (app, email) {
      const { challenge_id: challenge } = (await post(app, '/auth/password/forgot', { email })).json()
      return () => post(app, '/auth/password/forgot', { email, challenge_id: challenge })
    },
  },
  'email-login': {
    options: { email: { verification: 'none' }, routes: { emailLogin: true } },
    ask: async (app, email) => () => post(app, '/auth/login/email', { email }),
  },
  'register-first': {
    options: { email: { verification: 'first' }, identifiers: ['email'] },
    ask: async (app, email) => () => post(app, '/auth/register', { email, password }),
  },
}

async function measure ({ options, ask }: typeof asks[string]): Promise<Record<Kind, number[]>> {
  const app = await build(options)
  const times: Record<Kind, number[]> = { known: [], unknown: [] }
  for (let index = -warmUps; index < samples; index++) {
    for (const kind of shuffled<Kind>(['known', 'unknown'])) {
      const act = await ask(app, addressOf(kind, index))
      const startedAt = performance.now()
      const { statusCode } = await act()
      const taken = performance.now() - startedAt
      if (statusCode !== 202) throw new Error(`Answered ${statusCode}`)
      if (index >= 0) times[kind].push(taken)
      // The mails of those before are made meanwhile, whoever they are for.
      await pause(5 * Math.random())
    }
  }
  await app.close()
  return times
}

for (const [name, each] of Object.entries(asks)) {
  const { known, unknown } = await measure(each)
  const { u, share, p } = compare(known, unknown)
  const isGross = p < mostChance && Math.max(share, 1 - share) > mostShare
  const medians = [known, unknown].map((times) => `${median(times).toFixed(3)} ms`)
  const words = [
    `${name}: known ${medians[0]}, unknown ${medians[1]}`, `U ${u} (${(share * 100).toFixed(1)} %)`, `p ${p.toFixed(4)}`,
  ]
  console.log(`${words.join(', ')}${isGross ? ': GROSS' : ''}`)
  if (isGross) process.exitCode = 1
}
