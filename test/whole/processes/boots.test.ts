// On each database.
// In a process of its own: it starts many others.
// With more rounds in trials.
import t from 'tap'
import { freshDatabase, open } from '../../support/databases.ts'
import { startServers } from './process.ts'
import { rounds } from '../../support/rounds.ts'

t.test('four processes boot at once on an empty database', async (t) => {
  for (let round = 0; round < rounds(1, 20); round++) {
    await t.test(`round ${round + 1}`, async (t) => {
      const db = await freshDatabase(t)
      const servers = await startServers(t, 4, { db })
      const registered = await Promise.all(servers.map((server, index) => server.register(`user${index}`)))
      t.same(registered.map(({ status }) => status), [201, 201, 201, 201])

      const sql = open(db)
      t.teardown(() => sql.close())
      t.same(
        await sql.all('select id, revision from accounts_revision order by id'),
        [
          { id: 1, revision: 0 },
          { id: 2, revision: 0 },
          { id: 3, revision: 0 },
          { id: 4, revision: 0 },
          { id: 5, revision: 0 },
        ],
        'what they share is there once'
      )
    })
  }
})
