import type { Provider } from '../features/providers/provider.ts'
import type { Settings } from '../settings.ts'
import type { Finding } from './finding.ts'

/** A provider that does not answer by then is away. */
const mostMs = 5_000

/** ID tokens are taken whose times are off by no more. */
const mostSecondsOff = 30

/** What has to be done at other providers, and what is in the way to them. */
export async function providerFindings (
  { providers, providerFlow, prefix, routes }: Settings, isLive: boolean
): Promise<Finding[]> {
  const path = routes.providers
  if (providers.length === 0 || path === undefined) return []
  const callbacks = providers.map(({ id }) => `${providerFlow.url}${prefix}${path}/${id}/callback`)
  const answers = await Promise.all(providers.filter(({ endpoints }) => !endpoints).map(ask))
  return [
    {
      level: 'remark',
      finding: `Providers send browsers back to these URLs, and to no other: ${callbacks.join(', ')}.`,
      remedy: 'Register each at its provider, with the path of the scope that the plugin is registered in, if any.',
    },
    ...isLive && providerFlow.url.startsWith('http:')
      ? [{
          level: 'error' as const,
          finding: 'Browsers come back from providers without TLS.',
          remedy: 'Give providerFlow.url with https.',
        }]
      : [],
    ...answers.flat(),
  ]
}

/** Whether a provider is there, and what time it has. */
async function ask ({ name, issuer, fetch: own = fetch }: Provider): Promise<Finding[]> {
  const url = `${issuer}/.well-known/openid-configuration`
  try {
    const response = await own(url, { redirect: 'manual', signal: AbortSignal.timeout(mostMs) })
    await response.body?.cancel()
    if (!response.ok) throw new Error(`HTTP ${response.status}`)
    const seconds = Math.abs(Date.parse(response.headers.get('date') ?? '') - Date.now()) / 1000
    // Of a provider that does not say the time nothing is known.
    return seconds > mostSecondsOff
      ? [{
          level: 'error',
          finding: `The clock of this machine and that of ${name} differ by ${Math.round(seconds)} s: ` +
            'nobody signs in by it.',
          remedy: 'Synchronize the clock.',
        }]
      : []
  } catch (error) {
    return [{
      level: 'warning',
      finding: `${name} does not answer at ${url}: ${(error as Error).message}.`,
      remedy: 'Check the issuer, and that the network lets this machine get there.',
    }]
  }
}
