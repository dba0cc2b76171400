import type { ProviderClient, ProviderTokens } from './client.ts'
import type { ProviderParts } from './parts.ts'
import type { IdentityRow } from './rows.ts'

/** The tokens of a user at a provider. */
export interface TokensOfProvider {
  accessToken: string
  /** Null where the provider does not say. */
  expiresAt: Date | null
  /** With spaces between them. Null where the provider does not say. */
  scope: string | null
}

/**
 * The tokens of a user at a provider, by the last identity that was used; null where there are none. Of several
 * processes that find them over at once each may ask the provider, and one alone stores what it got: the others give
 * that.
 * @throws {ProviderFailed | Unavailable}
 */
export type GiveTokens = (userId: string, provider: string) => Promise<TokensOfProvider | null>

/** A token that is over in less is of no use to who has got it. */
const leastMs = 60_000

export function createGiveTokens (
  { spine: { database }, clients, rows, stored }: Pick<ProviderParts, 'spine' | 'clients' | 'rows' | 'stored'>
): GiveTokens {
  /** One at a time in this process: a provider may take a refresh token once. */
  const refreshing = new Map<string, Promise<ProviderTokens>>()

  async function find (userId: string, provider: string): Promise<IdentityRow | undefined> {
    const found = await database.run((em) => rows.ofUser(em, userId))
    return found.filter((row) => row.provider === provider && row.tokens !== null)
      .toSorted((one, other) => other.lastUsedAt.getTime() - one.lastUsedAt.getTime())[0]
  }

  /** What others have stored meanwhile is as good. */
  async function newer (row: IdentityRow): Promise<ProviderTokens | undefined> {
    const now = (await database.run((em) => rows.ofUser(em, row.userId))).find(({ id }) => id === row.id)
    return now && now.tokens !== null && now.tokens !== row.tokens ? stored.open(now) : undefined
  }

  async function refresh (client: ProviderClient, row: IdentityRow, refreshToken: string): Promise<ProviderTokens> {
    const fresh = await client.refresh(refreshToken).catch(async (error) => {
      const other = await newer(row)
      if (other) return other
      throw error
    })
    const isStored = await database.run((em) => rows.exchangeTokens(em, row, stored.seal(fresh, row.id)))
    return isStored ? fresh : await newer(row) ?? fresh
  }

  return async (userId, provider) => {
    const client = clients.find((each) => each.provider.id === provider)
    const row = client && await find(userId, provider)
    if (!row) return null
    const tokens = stored.open(row)
    const { refreshToken, expiresAt } = tokens
    if (refreshToken === undefined || expiresAt === undefined || expiresAt - Date.now() > leastMs) return shown(tokens)

    const underWay = refreshing.get(row.id) ?? refresh(client, row, refreshToken)
      .finally(() => refreshing.delete(row.id))
    refreshing.set(row.id, underWay)
    return shown(await underWay)
  }
}

function shown ({ accessToken, expiresAt, scope }: ProviderTokens): TokensOfProvider {
  return { accessToken, expiresAt: expiresAt === undefined ? null : new Date(expiresAt), scope: scope ?? null }
}
