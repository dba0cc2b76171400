import { randomBytes } from 'node:crypto'
import { defineCommand } from './command.ts'

export const secret = defineCommand({
  name: 'secret',
  summary: 'Prints a secret for JWT_SECRET_KEY: 48 random bytes.',
  flags: {},
  run () {
    const made = randomBytes(48).toString('base64')
    return { result: { secret: made }, text: made }
  },
})
