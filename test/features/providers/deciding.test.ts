import t from 'tap'
import { decide, type Facts } from '../../../lib/features/providers/deciding.ts'

const nobody: Facts = {
  asker: undefined,
  use: 'login',
  owner: undefined,
  address: undefined,
  holder: undefined,
  linksByAddress: true,
  registers: true,
  needsAddress: false,
}
const verified = { id: 'ada', isVerified: true }
const unverified = { id: 'ada', isVerified: false }
const refuse = (as: string) => ({ act: 'refuse', as })

const rows: [name: string, facts: Partial<Facts>, outcome: object][] = [
  ['who is known comes in', { owner: 'bob' }, { act: 'enter', userId: 'bob' }],
  ['also with the address of another account', { owner: 'bob', address: 'vouched', holder: verified },
    { act: 'enter', userId: 'bob' }],
  ['also where nobody registers', { owner: 'bob', registers: false }, { act: 'enter', userId: 'bob' }],
  ['an address that is proved on both sides links', { address: 'vouched', holder: verified },
    { act: 'link', userId: 'ada', by: 'address' }],
  ['not where no address does', { address: 'vouched', holder: verified, linksByAddress: false }, refuse('unlinked')],
  ['one that is not proved here links nobody', { address: 'vouched', holder: unverified }, refuse('unlinked')],
  ['one that is not proved there links nobody', { address: 'unvouched', holder: verified }, refuse('unlinked')],
  ['one that nobody has proved links nobody', { address: 'unvouched', holder: unverified }, refuse('unlinked')],
  ['a free address that is vouched for registers', { address: 'vouched' }, { act: 'register', withAddress: true }],
  ['one that is not registers without', { address: 'unvouched' }, { act: 'register', withAddress: false }],
  ['none registers too', {}, { act: 'register', withAddress: false }],
  ['but not where one is needed', { needsAddress: true }, refuse('addressless')],
  ['nor one that is not vouched for', { address: 'unvouched', needsAddress: true }, refuse('addressless')],
  ['where nobody registers', { address: 'vouched', registers: false }, refuse('closed')],
  ['the asker links what is nobody\'s', { use: 'link', asker: 'ada' }, { act: 'link', userId: 'ada', by: 'asker' }],
  ['and what they have', { use: 'link', asker: 'ada', owner: 'ada' }, { act: 'link', userId: 'ada', by: 'asker' }],
  ['whatever its address', { use: 'link', asker: 'ada', address: 'unvouched', holder: { id: 'eve', isVerified: true } },
    { act: 'link', userId: 'ada', by: 'asker' }],
  ['not what is somebody else\'s', { use: 'link', asker: 'ada', owner: 'eve' }, refuse('taken')],
  ['the asker proves who they are', { use: 'reauthenticate', asker: 'ada', owner: 'ada' },
    { act: 'confirm', userId: 'ada' }],
  ['not by what is somebody else\'s', { use: 'reauthenticate', asker: 'ada', owner: 'eve' }, refuse('taken')],
  ['nor by what is nobody\'s, whatever its address',
    { use: 'reauthenticate', asker: 'ada', address: 'vouched', holder: verified }, refuse('unlinked')],
]

for (const [name, facts, outcome] of rows) {
  t.test(`who is it: ${name}`, (t) => {
    t.same(decide({ ...nobody, ...facts }), outcome)
    t.end()
  })
}
