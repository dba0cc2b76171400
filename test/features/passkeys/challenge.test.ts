import { createHmac, randomBytes } from 'node:crypto'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { challengeSeconds, createChallenges, type Purpose } from '../../../lib/features/passkeys/challenge.ts'

const [newest, older, foreign] = [1, 2, 3].map((byte) => Buffer.alloc(32, byte)) as [Buffer, Buffer, Buffer]
const challenges = createChallenges([newest, older], 'accounts')
const purposes: Purpose[] = ['login', 'factor', 'reauthenticate', 'registration']
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

function stopClock (t: Test): void {
  mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 })
  t.teardown(() => mock.timers.reset())
}

t.test('a challenge is 37 bytes: random ones, its end, its purpose, and an HMAC of these, the name and the binding', async (t) => {
  stopClock(t)
  const bytes = Buffer.from(challenges.make('factor', 'a ticket'), 'base64url')
  const stem = bytes.subarray(0, 21)

  t.equal(bytes.length, 37)
  t.equal(stem.readUInt32BE(16), Math.floor(Date.now() / 1000) + challengeSeconds)
  t.equal(stem[20], 2)
  const mac = createHmac('sha256', newest).update(stem).update('accounts\0a ticket').digest().subarray(0, 16)
  t.ok(mac.equals(bytes.subarray(21)))
  t.not(challenges.make('login').slice(0, 21), challenges.make('login').slice(0, 21))
})

t.test('a challenge serves its own purpose and binding alone', async (t) => {
  for (const purpose of purposes) {
    for (const binding of ['', 'a', 'b']) {
      const challenge = challenges.make(purpose, binding)
      for (const other of purposes) {
        for (const wanted of ['', 'a', 'b']) {
          const isSame = other === purpose && wanted === binding
          t.equal(challenges.check(challenge, other, wanted) !== undefined, isSame, `${purpose} ${other} ${binding}${wanted}`)
        }
      }
    }
  }
})

t.test('a challenge is over after five minutes', async (t) => {
  stopClock(t)
  const challenge = challenges.make('login')
  mock.timers.tick(challengeSeconds * 1000 - 1)
  t.same(challenges.check(challenge, 'login'), new Date(Date.now() + 1))
  mock.timers.tick(1)
  t.equal(challenges.check(challenge, 'login'), undefined)
})

t.test('a challenge of an older key holds, and one of a foreign key does not', async (t) => {
  t.ok(challenges.check(createChallenges([older], 'accounts').make('login'), 'login'))
  t.notOk(challenges.check(createChallenges([foreign], 'accounts').make('login'), 'login'))
  t.notOk(createChallenges([older], 'accounts').check(challenges.make('login'), 'login'))
})

t.test('accounts of another name that have the same secret take no challenge of these', async (t) => {
  const others = createChallenges([newest, older], 'staff')
  for (const purpose of purposes) {
    t.notOk(others.check(challenges.make(purpose, 'a'), purpose, 'a'))
    t.notOk(others.check(challenges.make(purpose), purpose))
  }
})

t.test('no other text is a challenge, nor is anything that is no text', async (t) => {
  const challenge = challenges.make('login')
  for (let place = 0; place < challenge.length; place++) {
    const character = alphabet[(alphabet.indexOf(challenge[place]!) + 1) % 64]
    const other = challenge.slice(0, place) + character + challenge.slice(place + 1)
    t.notOk(challenges.check(other, 'login'), `another character at ${place}`)
  }
  const others = ['', `${challenge}=`, `${challenge}A`, challenge.slice(1), ` ${challenge}`, challenge.replace(/.$/, '+'),
    randomBytes(37).toString('base64url'), undefined, null, 7, {}, [challenge]]
  for (const other of others) t.notOk(challenges.check(other, 'login'), JSON.stringify(other))
})
