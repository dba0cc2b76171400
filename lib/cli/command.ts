import { parseArgs } from 'node:util'
import { UsageWrong } from './errors.ts'
import { nearest } from './nearest.ts'

/** The streams that a command reads and writes. A process has them. */
export interface Io {
  stdin: NodeJS.ReadableStream & { isTTY?: boolean }
  stdout: NodeJS.WritableStream
  stderr: NodeJS.WritableStream
}

export interface Flag {
  type: 'string' | 'boolean'
  multiple?: boolean
  /** The word for the value in the help. */
  value?: string
  summary: string
}

type Flags = Record<string, Flag>

/** The values of flags that were given. */
export type Values<Known extends Flags> = {
  [Name in keyof Known]?: Known[Name] extends { type: 'boolean' }
    ? boolean
    : Known[Name] extends { multiple: true }
      ? string[]
      : string
}

/** The result of a command: for programs, and in words. */
export interface Answer {
  result: unknown
  text: string
  /** True for a bad result of a command that was done: exit code 1. */
  isBad?: boolean
}

export interface Command<Known extends Flags = Flags> {
  name: string
  /** A word in capitals for each that is needed; an ellipsis after the last one for any number of it. */
  takes?: string
  summary: string
  flags: Known
  run: (args: string[], flags: Values<Known>, io: Io) => Promise<Answer> | Answer
}

/** Every command has these. */
export const commonFlags = {
  json: { type: 'boolean', summary: 'prints JSON, and errors as { error: { code, message } }' },
  help: { type: 'boolean', summary: 'shows how to use the command' },
} as const satisfies Flags

export function defineCommand<const Known extends Flags> (command: Command<Known>): Command {
  return command as unknown as Command
}

/**
 * The arguments and the flags after the name of a command.
 * @throws {UsageWrong} which never repeats a value: somebody may have typed a password there
 */
export function read (
  { name, takes = '', flags }: Command,
  argv: string[]
): { args: string[]; values: Values<Flags> & { help?: boolean } } {
  const options = { ...flags, ...commonFlags }
  const { positionals: args, values } = parse(argv, options)

  const wanted = takes.split(' ').filter(Boolean)
  const isOpen = wanted.at(-1)?.endsWith('…') === true
  const isRight = isOpen ? args.length >= wanted.length - 1 : args.length === wanted.length
  if (!isRight && !values.help) {
    throw new UsageWrong(
      `${name} takes ${takes || 'no argument'}${!isOpen && wanted.length > 0 ? ' and no more' : ''}: see ${name} --help`
    )
  }
  return { args, values: values as Values<Flags> }
}

function parse (args: string[], options: Flags) {
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    const { code, message } = error as Error & { code: string }
    if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw new UsageWrong(message.split('\n')[0]!)
    const flag = /'([^']+)'/.exec(message)![1]!
    throw new UsageWrong(`There is no ${flag} here${nearest(flag, Object.keys(options).map((name) => `--${name}`))}`)
  }
}
