import type { AccountsOptions } from '../../types/index.ts'
import type { Settings } from '../settings.ts'
import { defineCommand } from './command.ts'
import type { Finding } from './finding.ts'
import { optionsOf, targetFlags } from './target.ts'

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Reports what is wrong or weak in a configuration and its environment, and how to fix it. Changes ' +
    'nothing.',
  flags: targetFlags,
  async run (_, target) {
    const options = await optionsOf(target)
    const { findingsAround } = await import('./surroundings.ts')
    const findings = [...findingsAround(process.cwd()), ...await examine(options)]

    const isBad = findings.some(({ level }) => level === 'error')
    return { result: { findings }, text: [...findings.map(asText), summaryOf(findings)].join('\n\n'), isBad }
  },
})

async function examine (options: AccountsOptions): Promise<Finding[]> {
  const { findingsIn, findingsOf, OptionsSchema, providerFindings, smtpFindings, withEnvironment } =
    await import('./plugin.ts')
  const given = withEnvironment(OptionsSchema, options, process.env)
  const { problems, settings } = await readOptions(given)
  if (!settings) return problems
  const isLive = process.env.NODE_ENV === 'production'
  const around = await Promise.all([
    smtpFindings(settings), providerFindings(settings, isLive), findingsIn(settings),
  ])
  return [...problems, ...findingsOf({ given, settings, isLive }), ...around.flat()]
}

/** The problems for which the plugin would not start, and the settings where there are none but with the secret. */
async function readOptions (given: AccountsOptions): Promise<{ problems: Finding[]; settings?: Settings }> {
  const [{ readSettings }, { default: Fastify }, { randomBytes }] = await Promise.all([
    import('./plugin.ts'), import('fastify'), import('node:crypto'),
  ])
  const read = (options: AccountsOptions) => readSettings(options, process.env, Fastify().log)
  try {
    return { problems: [], settings: read(given) }
  } catch (error) {
    const problems = (error as Error).message
      .replace('fastify-jwt-accounts cannot start: ', '')
      .split('; ')
      .map(refused)
    try {
      return { problems, settings: read({ ...given, secret: randomBytes(48) }) }
    } catch {
      return { problems }
    }
  }
}

function refused (problem: string): Finding {
  const remedy = problem.startsWith('secret')
    ? 'Put what `fastify-jwt-accounts secret` prints into JWT_SECRET_KEY, ' +
      'or give what `fastify-jwt-accounts keys` makes as secret.'
    : `docs/${/^mail\b/.test(problem) ? 'mail' : 'options'}.md in the package says what may stand there.`
  return { level: 'error', finding: `The app does not start: ${problem}.`, remedy }
}

function asText ({ level, finding, remedy }: Finding): string {
  return `${level.padEnd(7)}  ${finding}\n         ${remedy}`
}

function summaryOf (findings: Finding[]): string {
  return (['error', 'warning', 'remark'] as const).map((level) => {
    const count = findings.filter((finding) => finding.level === level).length
    return `${count} ${level}${count === 1 ? '' : 's'}`
  }).join(', ')
}
