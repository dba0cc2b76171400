import t from 'tap'
import { browserOf } from '../../lib/mail/browser.ts'

const webKit = 'AppleWebKit/537.36 (KHTML, like Gecko)'

t.test('of a browser its family and its system are told, in words of ours', async (t) => {
  for (const [userAgent, family] of [
    [`Mozilla/5.0 (X11; Linux x86_64) ${webKit} Chrome/140.0.0.0 Safari/537.36`, 'Chrome on Linux'],
    [`Mozilla/5.0 (X11; Linux x86_64) ${webKit} HeadlessChrome/140.0.0.0 Safari/537.36`, 'Chrome on Linux'],
    [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webKit} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0`, 'Edge on Windows'],
    ['curl/8.5.0', 'curl'],
    ['<b>Firefox', null],
    [null, null],
  ] as const) {
    t.equal(browserOf(userAgent), family)
  }
})
