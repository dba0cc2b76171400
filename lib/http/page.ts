import type { AnyReply } from './request.ts'

/**
 * Sends a page for people. It comes with nothing from elsewhere, stands in no frame, and the pages that it leads to are
 * not told where it was: its address may have held a secret. `policy` says what else it may do (CSP).
 */
export function sendPage (reply: AnyReply, text: string, policy: string, type = 'text/html'): AnyReply {
  return reply
    .headers({
      'content-security-policy': `default-src 'none'; ${policy}; base-uri 'none'; frame-ancestors 'none'`,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
    })
    .type(`${type}; charset=utf-8`)
    .send(text)
}
