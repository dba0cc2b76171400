import { keyCommands } from './api-keys.ts'
import { auditVerify } from './audit.ts'
import { read, type Command, type Io } from './command.ts'
import { doctor } from './doctor.ts'
import { UsageWrong } from './errors.ts'
import { events } from './events.ts'
import { factorCommands } from './factors.ts'
import { helpOf, helpOfCommand } from './help.ts'
import { identities } from './identities.ts'
import { invite } from './invite.ts'
import { keys } from './keys.ts'
import { lifecycle } from './lifecycle.ts'
import { mail } from './mail.ts'
import { migrate } from './migrate.ts'
import { nearest } from './nearest.ts'
import { passkeys } from './passkeys.ts'
import { prune } from './prune.ts'
import { secret } from './secret.ts'
import { sessions, userSessions } from './sessions.ts'
import { sql } from './sql.ts'
import { user } from './user.ts'

const commands: Command[] = [
  secret, keys, migrate, sql, ...user, passkeys, identities, ...keyCommands, invite, ...lifecycle, ...factorCommands,
  userSessions, ...sessions, ...mail, events, auditVerify, prune, doctor,
]

/** Does what a command line says, and gives the exit code: 0 done, 1 refused or not found, 2 wrong usage. */
export async function run (argv: string[], io: Io): Promise<number> {
  const isJson = argv.includes('--json')
  try {
    const { text, isBad = false } = await answer(argv, io, isJson)
    io.stdout.write(`${text}\n`)
    return isBad ? 1 : 0
  } catch (error) {
    const { code = 'ACCOUNTS_FAILED', message } = error as Error & { code?: string }
    io.stderr.write(`${isJson ? asJson({ error: { code, message } }) : message}\n`)
    return error instanceof UsageWrong ? 2 : 1
  }
}

async function answer (argv: string[], io: Io, isJson: boolean): Promise<{ text: string, isBad?: boolean }> {
  if (argv[0] === '--help') return { text: helpOf(commands) }
  if (argv[0] === '--version') {
    return {
      text: (await import('fastify-jwt-accounts/package.json' as string, { with: { type: 'json' } })).default.version,
    }
  }

  const command = find(argv)
  const { args, values } = read(command, argv.slice(command.name.split(' ').length))
  if (values.help) return { text: helpOfCommand(command) }

  const { result, text, isBad } = await command.run(args, values, io)
  return { text: isJson ? asJson(result) : text, ...isBad && { isBad } }
}

function find (argv: string[]): Command {
  // Of two that fit, such as `keys` and `keys reseal`, the longer name stands last.
  const command = commands.findLast(({ name }) => argv.slice(0, name.split(' ').length).join(' ') === name)
  if (command) return command

  const names = commands.map(({ name }) => name)
  const [first, second] = argv.map((word) => word.startsWith('-') ? undefined : word)
  if (first === undefined) throw new UsageWrong('A command comes first: see --help')
  const group = names.filter((name) => name.startsWith(`${first} `))
  const hint =
    (second && nearest(`${first} ${second}`, names)) ||
    nearest(first, names) ||
    (group.length > 0 ? `, but ${group.join(', ')}` : ': see --help')
  throw new UsageWrong(`There is no such command${hint}`)
}

/** With what a terminal would obey, or draw elsewhere than it stands, as `\u…`: names are their owners' choice. */
function asJson (value: unknown): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(value).replaceAll(/\p{C}/gu, (sign) => sign.split('').map(escaped).join(''))
}
