import { tellOfCrowds, tellOfTabs, tellOfThieves } from '../test/whole/models/tables.ts'

// For docs/sessions.md, each between its two marks: npm run -s compare:sessions
for (const tell of [tellOfThieves, tellOfTabs, tellOfCrowds]) console.log(`${tell().table}\n`)
