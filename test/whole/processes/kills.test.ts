// On each database.
// In a process of its own, for 10 s: it starts and kills others.
// With more rounds in trials.
import t from 'tap'
import { freshDatabase, open } from '../../support/databases.ts'
import { until } from '../../support/waiting.ts'
import { createPerson } from './person.ts'
import { startServer, startServers, type Server, type Speaker } from './process.ts'
import { createChance, rounds } from '../../support/rounds.ts'
import { checkRows } from './rows.ts'

const chance = createChance(t)
const times = rounds(1, 20)

const inAnyOrder = ([one, other]: [Server, Server]): [Server, Server] => chance.below(2) ? [one, other] : [other, one]

for (const window of ['30s', 0] as const) {
  t.test(
    `a process that is killed in a storm loses nothing that was acknowledged, with a window of ${window}`,
    async (t) => {
      const options = { db: await freshDatabase(t), refresh: { window } }
      let servers = (await startServers(t, 2, options)) as [Server, Server]
      const dead = new Set<Speaker>()

      for (let round = 0; round < times; round++) {
        const people = Array.from({ length: 8 }, (_, index) =>
          createPerson(`user${round}x${index}`, chance, window, { isDead: (server) => dead.has(server) })
        )
        const answers = () => people.reduce((sum, { acknowledged }) => sum + acknowledged, 0)
        const over = new AbortController()
        const storm = people.map(async (person) => {
          while ((await person.act(...inAnyOrder(servers))) && !over.signal.aborted);
        })

        const enough = chance.below(150)
        await until(async () => answers() > enough)
        const [victim, survivor] = inAnyOrder(servers)
        dead.add(victim)
        await victim.kill()
        over.abort()
        await Promise.all(storm)

        servers = [await startServer(t, options), survivor]
        await Promise.all(people.map((person) => person.verify(...servers)))
        t.same(
          people.flatMap(({ complaints }) => complaints),
          [],
          `killed after ${answers()} answers`
        )
      }

      const sql = open(options.db)
      t.teardown(() => sql.close())
      await checkRows(t, sql)
    }
  )
}
