import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

/** A mail as a server has got it. */
export interface ReceivedMail {
  from: string
  to: string[]
  /** Headers and content. */
  raw: string
  isEncrypted: boolean
}

/** A refusal with the code of SMTP that a server gives. */
export function refusal (responseCode: number): Error {
  return Object.assign(new Error('Refused ada@example.com'), { responseCode })
}

/** An SMTP server on this machine, which keeps what it gets, and ends with the test. */
export async function startSmtp (
  t: { teardown: (end: () => Promise<void>) => unknown }, options: SMTPServerOptions = {}, host = '127.0.0.1'
) {
  const received: ReceivedMail[] = []
  const server = new SMTPServer({
    authOptional: true,
    // It warns of its certificate, which is for tests.
    logger: false,
    closeTimeout: 50,
    onData (stream, { envelope, secure }, done) {
      text(stream).then((raw) => {
        const { mailFrom, rcptTo } = envelope
        received.push({
          from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address), raw, isEncrypted: secure,
        })
        done()
      }, done)
    },
    ...options,
  })
  server.on('error', () => {})
  await once(server.listen(0, host), 'listening')
  t.teardown(() => new Promise<void>((resolve) => { server.close(() => resolve()) }))
  return { server, received, host, port: (server.server.address() as AddressInfo).port }
}
