import type { Flow } from './flow.ts'
import type { ProviderPath } from './paths.ts'
import { readPerson, type Person } from './person.ts'

/** What has come back from a provider. */
interface Returned {
  code: string
  /** What a provider says in a form, once: a name (Apple). */
  user?: string | undefined
}

/**
 * Asks a provider who it is that has come back.
 * @throws {ProviderFailed}
 */
export type Redeem = (path: ProviderPath, flow: Flow, returned: Returned) => Promise<Person>

export const redeem: Redeem = async ({ client, callback }, flow, { code, user }) => {
  const asked = { ...flow, redirectUri: callback, isStepUp: flow.use === 'reauthenticate' }
  const answer = await client.redeem(code, asked)
  const name = nameIn(user)
  return readPerson(client, name ? { ...answer, claims: { ...answer.claims, ...name } } : answer)
}

/** Whoever brings the form may have written it: nothing but names are taken of it. */
function nameIn (user: string | undefined): Record<string, string> | undefined {
  if (user === undefined) return
  try {
    const { firstName, lastName } = JSON.parse(user).name
    return { given_name: String(firstName ?? ''), family_name: String(lastName ?? '') }
  } catch {}
}
