// A process of its own that listens, and has nothing else to do.
import { openDatabase } from '../support/databases.ts'

const { listen, close } = await openDatabase({ db: process.argv[2]!, name: 'accounts' })
await listen!('channel', () => {})
await close()
console.log('listening')
