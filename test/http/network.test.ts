// On each database.
import t from 'tap'
import { networksOf, widestNetworkOf } from '../../lib/http/request.ts'

t.test('an address is of one network, however it is spelled', async (t) => {
  const spellings = {
    '1.2.3.4': [
      '1.2.3.4',
      '::ffff:1.2.3.4',
      '::FFFF:1.2.3.4',
      '::ffff:102:304',
      '0:0:0:0:0:ffff:0102:0304',
      '0000:0000:0000:0000:0000:FFFF:1.2.3.4',
      '1.2.3.4:5678',
      '[::ffff:1.2.3.4]:443',
      '::ffff:1.2.3.4%1',
    ],
    '2001:db8:0:1::/64': [
      '2001:db8:0:1::',
      '2001:DB8:0:1::1',
      '2001:0db8:0000:0001:ffff:ffff:ffff:ffff',
      '2001:db8::1:0:0:0:9',
      '2001:db8:0:1:0:0:1.2.3.4',
      '[2001:db8:0:1::5]',
      '[2001:db8:0:1::5]:8080',
    ],
    'fe80:0:0:0::/64': ['fe80::1', 'fe80::1%eth0', 'fe80::2%25'],
    '0:0:0:0::/64': ['::', '::1', '::1.2.3.4', '::fffe:1.2.3.4'],
    none: [
      '',
      undefined,
      'unknown',
      '1.2.3',
      '1.2.3.4.5',
      '01.2.3.4',
      '1.2.3.256',
      ':::',
      '1::2::3',
      '_hidden',
      '1.2.3.4, 5.6.7.8',
      'x'.repeat(100_000),
      '%',
    ],
  }
  for (const [network, addresses] of Object.entries(spellings)) {
    for (const address of addresses) t.equal(networksOf(address)[0], network, String(address).slice(0, 60))
  }
})

t.test('the IPv4 address of a client behind a translator is what is inside of its IPv6 one', async (t) => {
  for (const address of [
    '64:ff9b::203.0.113.5',
    '64:FF9B::cb00:7105',
    '64:ff9b:0:0:0:0:203.0.113.5',
    '::ffff:0:203.0.113.5',
    '::ffff:203.0.113.5',
  ]) {
    t.same(networksOf(address), ['203.0.113.5'], address)
  }
  for (const address of [
    '64:ff9b:1::203.0.113.5',
    '64:ff9b::1:203.0.113.5',
    '64:ff9c::203.0.113.5',
    '0:0:0:1:0:ffff:203.0.113.5',
    '0:0:0:0:1:ffff:203.0.113.5',
  ]) {
    t.equal(networksOf(address).length, 3, address)
  }
})

t.test('an IPv6 address is of each network that one customer may have, an IPv4 address of its own alone', async (t) => {
  t.same(networksOf('2001:db8:1:abcd::1'), ['2001:db8:1:abcd::/64', '2001:db8:1:ab00::/56', '2001:db8:1:0::/48'])
  t.same(networksOf('2001:db8:1::1'), ['2001:db8:1:0::/64', '2001:db8:1:0::/56', '2001:db8:1:0::/48'])
  t.same(networksOf('192.0.2.1'), ['192.0.2.1'])
  t.same(['2001:db8:1:abcd::1', '::ffff:192.0.2.1', undefined].map(widestNetworkOf), [
    '2001:db8:1:0::/48',
    '192.0.2.1',
    'none',
  ])
})

t.test('neighbours are other networks', async (t) => {
  const networks = ['1.2.3.4', '1.2.3.5', '2001:db8:0:1::1', '2001:db8:0:2::1', '2001:db8:1:1::1'].map(
    (address) => networksOf(address)[0]
  )
  t.equal(new Set(networks).size, networks.length)
})
