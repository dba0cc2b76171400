#!/usr/bin/env node
import { run } from './run.ts'

const code = await run(process.argv.slice(2), process)

// What a configuration has opened keeps nobody waiting, once all is written.
process.stdout.write('', () => process.exit(code))
