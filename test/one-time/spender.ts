// A process of its own that uses a value many times at once, when it is told one, and says how often it was first.
import { createSpent } from '../../lib/one-time/spent.ts'
import { openDatabase } from '../support/databases.ts'

const database = await openDatabase({ db: process.argv[2]!, name: 'accounts' })
const { spend } = createSpent(database)

process.on('disconnect', () => process.exit())
process.on('message', async ({ value, times }: { value: string, times: number }) => {
  const expiresAt = new Date(Date.now() + 60_000)
  const won = await Promise.all(Array.from({ length: times }, () =>
    database.transaction((tx) => spend(tx, 'ticket', value, expiresAt))))
  process.send!(won.filter(Boolean).length)
})
process.send!('ready')
