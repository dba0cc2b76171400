/**
 * What each server of the bench is asked for, and what lets somebody in: one set of headers for each of so many who are
 * signed in.
 */
export interface Offer { origin: string, users: Record<string, string>[] }

/** Since the process began, and now. */
export interface Usage { cpuUs: number, rssBytes: number, mostRssBytes: number }

/** What the guarded route answers, whoever guards it: the signed-in user's id, as the guard found it. */
export const guardedPath = '/guarded'

/** How many different tokens the runner wants, and which variant of the server. */
export const [variant = '', tokens = 1] = [process.argv[2], Number(process.argv[3] ?? 1)]

export const secret = 'Zq8vT2kLw9XcR5nYb3HjM7pFs1DgA4uE'

/** Tells the runner that this server is ready, and from then on does what it is told, or tells what it has used. */
export function offer (origin: string, users: Offer['users'], acts: Record<string, () => unknown> = {}): void {
  process.on('message', async (wish: string) => process.send!(await (acts[wish] ?? usage)() ?? null))
  process.send!({ origin, users } satisfies Offer)
}

function usage (): Usage {
  const { user, system } = process.cpuUsage()
  const mostRssBytes = process.resourceUsage().maxRSS * 1024
  return { cpuUs: user + system, rssBytes: process.memoryUsage.rss(), mostRssBytes }
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
