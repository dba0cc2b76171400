import t from 'tap'
import { createReadReturnTo, withQuery } from '../../../lib/features/providers/return-to.ts'
import { errors } from '../../../lib/index.ts'

const read = createReadReturnTo('https://app.example.com/api', [
  'https://shop.example.com/signed-in', 'com.example.app:/signed-in', 'com.example.app://host/signed-in',
])

t.test('a browser goes to paths of the app, and to what is listed', (t) => {
  const gone = {
    '/': 'https://app.example.com/',
    '/welcome?x=1#top': 'https://app.example.com/welcome?x=1#top',
    '/%2F%2Fevil.example': 'https://app.example.com/%2F%2Fevil.example',
    '/a/..//evil.example': 'https://app.example.com//evil.example',
    'https://shop.example.com/signed-in': 'https://shop.example.com/signed-in',
    'https://shop.example.com/signed-in?x=1': 'https://shop.example.com/signed-in?x=1',
    'https://SHOP.example.com:443/signed-in': 'https://shop.example.com/signed-in',
    'com.example.app:/signed-in?x=1': 'com.example.app:/signed-in?x=1',
    'com.example.app://host/signed-in': 'com.example.app://host/signed-in',
  }
  t.equal(read(undefined), 'https://app.example.com/')
  for (const [given, url] of Object.entries(gone)) t.equal(read(given), url, given)
  t.end()
})

t.test('and nowhere else, however it is spelled', (t) => {
  const spellings = [
    '', 'welcome', './welcome', '//evil.example', '///evil.example', '/\\evil.example', '\\\\evil.example',
    '/\t/evil.example', '\t//evil.example', '/\n/evil.example', ' //evil.example', 'https:evil.example',
    'https:/evil.example', 'https://evil.example', 'https://evil.example/signed-in', 'http://shop.example.com/signed-in',
    'https://shop.example.com', 'https://shop.example.com/', 'https://shop.example.com/signed-in/',
    'https://shop.example.com/signed-in/../x', 'https://shop.example.com/SIGNED-IN', 'https://shop.example.com:8443/signed-in',
    'https://shop.example.com.evil.example/signed-in', 'https://evil.example#shop.example.com/signed-in',
    'https://shop.example.com@evil.example/signed-in', 'https://u@shop.example.com/signed-in',
    'https://:p@shop.example.com/signed-in', 'https://shop.example.com\\@evil.example/signed-in',
    'https://shop.example.com%2f@evil.example/signed-in', 'javascript:alert(1)', 'JavaScript:alert(1)//signed-in',
    'data:text/html,x', 'com.example.app:/other', 'com.example.app:signed-in', 'com.example.app://evil/signed-in',
    'com.example.application:/signed-in', 'https://shop.example.com/signed-in\u0000', 'https://shop。example.com/signed-in',
    'https://app.example.com/welcome', '/ü', `/${'x'.repeat(512)}`,
  ]
  for (const given of spellings) t.throws(() => read(given), errors.InputInvalid, JSON.stringify(given))
  t.end()
})

t.test('what is added to a URL stands in its query, before a fragment and in place of what was there', (t) => {
  t.equal(withQuery('https://app.example.com/a?x=1&code=mine#top', { code: 'a b' }),
    'https://app.example.com/a?x=1&code=a+b#top')
  t.equal(withQuery('com.example.app:/in', { error: 'x' }), 'com.example.app:/in?error=x')
  t.end()
})
