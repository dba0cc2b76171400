import type { Seal } from '../../secrets/seal.ts'

/** What a sealed text is for: one of a purpose serves no other. */
export type SealedPurpose = 'provider-flow' | 'provider-code' | 'provider-registration'

/** What is good once, and for a while. */
export interface Passing {
  /** By which it is used up. */
  jti: string
  /** Seconds since 1970. */
  exp: number
}

/** Texts that hold what is half done, so that nothing is stored of it. Whoever brings one cannot read it. */
export interface SealedTexts<Content extends Passing> {
  seal: (content: Content) => string
  /** Undefined for a text that is none of ours, or of another purpose or provider. It may be over. */
  open: (text: string) => Content | undefined
}

/** `provider`: the id of the one that they are of. */
export function createSealedTexts<Content extends Passing> (
  seal: Seal, name: string, purpose: SealedPurpose, provider: string
): SealedTexts<Content> {
  const place = { purpose, table: `${name}_identities`, row: provider }

  return {
    seal: (content) => seal.seal(JSON.stringify(content), place),
    open (text) {
      try {
        return JSON.parse(seal.open(text, place).plain.toString()) as Content
      } catch {}
    },
  }
}

export function isOver ({ exp }: Passing): boolean {
  return exp <= nowSeconds()
}

export function nowSeconds (): number {
  return Math.floor(Date.now() / 1000)
}
