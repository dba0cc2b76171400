import { measure, seeds } from './measure.ts'
import { table } from './table.ts'

// For docs/sessions.md, between its two marks: npm run -s compare:sessions
console.log(table(seeds.map(measure)))
