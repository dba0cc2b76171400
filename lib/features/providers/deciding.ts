/** What is known when a provider has said who somebody is. */
export interface Facts {
  /** Who asks for it while signed in. Undefined for who signs in. */
  asker: string | undefined
  /** Whether whoever is signed in wants it linked, or proves once more who they are. */
  use: 'login' | 'link' | 'reauthenticate'
  /** Whose the identity is. */
  owner: string | undefined
  /** Whether the provider vouches for the address that it says. Undefined where it says none that counts here. */
  address: 'vouched' | 'unvouched' | undefined
  /** Who has that address here. */
  holder: { id: string, isVerified: boolean } | undefined
  /** Whether an address links, where it is proved on both sides. */
  linksByAddress: boolean
  /** Whether unknown identities open accounts. */
  registers: boolean
  /** Whether there are no users without an address. */
  needsAddress: boolean
}

/** What follows from it. */
export type Outcome =
  | { act: 'enter', userId: string }
  | { act: 'confirm', userId: string }
  | { act: 'link', userId: string, by: 'asker' | 'address' }
  | { act: 'register', withAddress: boolean }
  | { act: 'refuse', as: 'taken' | 'unlinked' | 'closed' | 'addressless' }

/**
 * Who is it? The first row that fits:
 *
 * | use            | the identity is        | the address                             | then                        |
 * | -------------- | ---------------------- | --------------------------------------- | --------------------------- |
 * | reauthenticate | the asker's            | any                                     | confirmed                   |
 * | reauthenticate | somebody else's        | any                                     | refused: taken              |
 * | reauthenticate | nobody's               | any                                     | refused: unlinked           |
 * | link           | somebody else's        | any                                     | refused: taken              |
 * | link           | nobody's, or the asker's | any                                   | linked to the asker         |
 * | login          | somebody's             | any                                     | they come in                |
 * | login          | nobody's               | vouched for, and verified here          | linked to who has it here   |
 * | login          | nobody's               | somebody has it here otherwise          | refused: unlinked           |
 * | login          | nobody's               | any, and nobody opens an account by it  | refused: closed             |
 * | login          | nobody's               | vouched for                             | registered with it          |
 * | login          | nobody's               | none, or not vouched for; one is needed | refused: it is asked for    |
 * | login          | nobody's               | none, or not vouched for                | registered without          |
 *
 * An address that was not proved on both sides links nobody: at a provider that asks for no proof, or in an account
 * here that somebody has opened in advance, it may be that of anybody (pre-hijacking, nOAuth).
 */
export function decide (facts: Facts): Outcome {
  const { asker, use, owner, address, holder, linksByAddress, registers, needsAddress } = facts
  if (use === 'reauthenticate') {
    if (owner === asker) return { act: 'confirm', userId: asker! }
    return { act: 'refuse', as: owner === undefined ? 'unlinked' : 'taken' }
  }
  if (use === 'link') {
    if (owner !== undefined && owner !== asker) return { act: 'refuse', as: 'taken' }
    return { act: 'link', userId: asker!, by: 'asker' }
  }

  if (owner !== undefined) return { act: 'enter', userId: owner }
  const isVouched = address === 'vouched'
  if (holder) {
    const isProved = isVouched && holder.isVerified && linksByAddress
    return isProved ? { act: 'link', userId: holder.id, by: 'address' } : { act: 'refuse', as: 'unlinked' }
  }
  if (!registers) return { act: 'refuse', as: 'closed' }
  if (needsAddress && !isVouched) return { act: 'refuse', as: 'addressless' }
  return { act: 'register', withAddress: isVouched }
}
