// On each database.
import diagnostics from 'node:diagnostics_channel'
import t, { type Test } from 'tap'
import { clock } from '../../../lib/testing.ts'
import { buildWithMail, otherPassword } from '../../support/mail.ts'

const wide = { accountNetwork: 1000, network: 1000, account: 1000, mail: { address: 20, network: 100 } }

/** Ada, who is mailed codes, and somebody who guesses at them. */
async function buildToGuess (t: Test) {
  const built = await buildWithMail(t, { throttle: wide })
  const { mails, post } = built
  const { user } = await built.signUpWithMail()
  const time = clock()
  t.teardown(time.restore)
  const locks: { reason?: string }[] = []
  const note = (event: unknown) => { locks.push(event as { reason?: string }) }
  diagnostics.subscribe('fastify-jwt-accounts:lock', note)
  t.teardown(() => diagnostics.unsubscribe('fastify-jwt-accounts:lock', note))

  return {
    ...built,
    user,
    locks,
    time,
    /** Has a code mailed, a minute after the one before. */
    async challenge () {
      time.advance('61s')
      const { challenge_id: challenge } = (await post('/auth/password/forgot', { username: 'ada' })).json()
      const code = mails.code(await mails.next('reset'))
      const show = async (code: string, given: string) => {
        const answer = await post('/auth/password/reset', { challenge_id: challenge, code, new_password: given })
        return answer.statusCode === 204 ? 'done' : answer.json().code
      }
      const wrong = code.replace(/\d$/, (digit) => `${(Number(digit) + 1) % 10}`)
      return {
        miss: () => show(wrong, otherPassword),
        hit: (given = otherPassword) => show(code, given),
      }
    },
  }
}

t.test('after twenty wrong codes of one address, over all its mails, even the right one is wrong', async (t) => {
  const { challenge, user, locks, time } = await buildToGuess(t)
  for (let mail = 0; mail < 4; mail++) {
    t.same(locks, [])
    const { miss } = await challenge()
    for (let tries = 0; tries < 5; tries++) t.equal(await miss(), 'ACCOUNTS_PROOF_INVALID')
  }
  t.match(locks, [{ reason: 'address-codes', userId: user.id }])
  const { hit } = await challenge()
  t.equal(await hit(), 'ACCOUNTS_PROOF_INVALID')
  t.equal(locks.length, 1, 'told once')

  time.advance('61m')
  const later = await challenge()
  t.equal(await later.hit(), 'done', 'an hour later one of them is forgotten')
})

t.test('a right code is not counted, however often it is shown', async (t) => {
  const { challenge, locks } = await buildToGuess(t)
  for (let mail = 0; mail < 3; mail++) {
    const { miss, hit } = await challenge()
    for (let tries = 0; tries < 4; tries++) await miss()
    for (let tries = 0; tries < 6; tries++) t.equal(await hit('short'), 'ACCOUNTS_PASSWORD_REJECTED')
  }
  const { hit } = await challenge()
  t.equal(await hit(), 'done')
  t.same(locks, [])
})

t.test('a twentieth guess that is right tells of no lock, and one that is wrong after it does', async (t) => {
  const { challenge, locks } = await buildToGuess(t)
  const missed = async (times: number) => {
    const { miss } = await challenge()
    for (let tries = 0; tries < times; tries++) t.equal(await miss(), 'ACCOUNTS_PROOF_INVALID')
  }
  for (const times of [5, 5, 5, 4]) await missed(times)
  const { hit } = await challenge()
  t.equal(await hit('short'), 'ACCOUNTS_PASSWORD_REJECTED', 'the twentieth')
  t.same(locks, [])
  t.equal(await hit(), 'done')
  t.same(locks, [])
  await missed(1)
  t.match(locks, [{ reason: 'address-codes' }])
})
