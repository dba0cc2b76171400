import { loopback } from '../../checks/loopback.ts'
import type { AnyRequest } from '../../http/request.ts'

/** What a proxy adds: behind one every request comes from this machine. */
const ofProxies = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via']

/**
 * True for a request from this machine to this machine. The socket keeps out the network; the name keeps out pages of
 * others whose own name leads here (DNS rebinding), and `Origin` their scripts, whatever the app lets in by CORS.
 */
export function isFromHere ({ headers, socket }: AnyRequest): boolean {
  const host = headers[':authority'] ?? headers.host
  const isNear = /^(::1|(::ffff:)?127\.[\d.]+)$/.test(String(socket.remoteAddress))
  const isNamed = loopback.test(`http://${String(host).toLowerCase()}`)
  return isNear && isNamed && ![...ofProxies, 'origin'].some((name) => name in headers)
}
