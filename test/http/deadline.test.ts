import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import t from 'tap'
import { createDeadline, joinDeadline, mostWaitMs, msLeft, withDeadline } from '../../lib/http/deadline.ts'
import { build, password } from '../support/build.ts'
import { letPass } from '../support/waiting.ts'

t.test(
  'what somebody waits for has one deadline for all that it does, and what is left behind has time of its own',
  async (t) => {
    t.equal(msLeft(), mostWaitMs)
    let leave = () => {}
    const left = new Promise<void>((resolve) => {
      leave = resolve
    })
    let afterwards: Promise<number> | undefined
    await withDeadline(async () => {
      letPass(t, 9000)
      t.ok(msLeft() <= 1000)
      t.ok((await joinDeadline(async () => msLeft())) <= 1000)
      t.ok((await withDeadline(async () => msLeft())) > 9000, 'a deadline of its own')
      letPass(t, 9000)
      t.equal(msLeft(), 0)
      afterwards = left.then(async () => Math.min(msLeft(), await joinDeadline(async () => msLeft())))
    })
    leave()
    t.ok((await afterwards!) > 9000)
  }
)

t.test('a clock that stands still takes nothing, and goes on where it was', async (t) => {
  const deadline = createDeadline()
  letPass(t, 4000)
  deadline.pause()
  letPass(t, 60_000)
  t.ok(deadline.run(msLeft) > 5000)
  deadline.resume()
  deadline.resume()
  letPass(t, 4000)
  t.ok(deadline.run(msLeft) <= 2000)
})

t.test('how long a body takes to arrive is no fault of ours', async (t) => {
  const { app } = await build(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const body = JSON.stringify({ username: 'ada', password })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  const arrived = once(app.server, 'request')
  socket.write(
    `POST /auth/register HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`
  )
  await arrived
  letPass(t, 11_000)
  socket.write(body)
  const [answer] = await once(socket, 'data')
  t.match(String(answer), /^HTTP\/1\.1 201 /)
  socket.destroy()
})
