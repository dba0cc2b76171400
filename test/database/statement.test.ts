import t from 'tap'
import { openDatabase } from '../support/databases.ts'
import { User } from '../../lib/users/entity.ts'

t.test('a statement without one of its values is not run', async (t) => {
  const { orm, statement, close } = await openDatabase({ db: ':memory:', name: 'accounts' })
  t.teardown(close)
  const byName = statement(({ query }) => query(User).select('id').where({ username: 'name' }))
  t.same(await byName.all(orm.em.fork(), { name: 'ada' }), [])
  for (const values of [{}, { username: 'ada' }]) { await t.rejects(byName.all(orm.em.fork(), values), { message: 'A statement has no value for name' }) }
})
