import { commonFlags, type Command, type Flag } from './command.ts'
import { table } from './table.ts'

export function helpOf (commands: Command[]): string {
  return `Usage: fastify-jwt-accounts COMMAND [flags]

Looks after the accounts of fastify-jwt-accounts from a terminal or a script.

Commands:
${table(commands.map((command) => [`  ${titleOf(command)}`, command.summary]))}

Flags:
  --version  prints the version
  --help     tells this, and after a command how that is used

The database is --db, or the environment's ACCOUNTS_DATABASE_URL, or accounts.sqlite where that file exists.
Exit codes: 0 done, 1 refused or not found, 2 wrong usage.`
}

export function helpOfCommand (command: Command): string {
  const flags = Object.entries<Flag>({ ...command.flags, ...commonFlags })
  return `Usage: fastify-jwt-accounts ${titleOf(command)} [flags]

${command.summary}

Flags:
${table(flags.map(([name, { value, summary }]) => [`  --${name}${value ? ` ${value}` : ''}`, summary]))}`
}

function titleOf ({ name, takes }: Command): string {
  return takes ? `${name} ${takes}` : name
}
