import type { OneTimeRow } from '../one-time/rows.ts'
import type { OneTimes } from '../one-time/one-time.ts'
import { lifeOf } from '../one-time/purposes.ts'
import { mailableAddress } from './addresses.ts'
import type { MailRow } from './entity.ts'
import { pageOfKind, type MailKind } from './kinds.ts'
import type { MakeLink } from './links.ts'
import type { Locales } from './locales.ts'
import type { MailSettings } from './options.ts'
import { usualTemplate } from './template.ts'
import type { MailData } from './texts.ts'
import type { Mail } from './transport.ts'

/** Who gets a mail, as it was found out when it is sent. */
export interface Recipient {
  address: string
  /** Whose address that is, if it is a user's. */
  userId?: string | undefined
  /** What its link and code are of. */
  proof?: OneTimeRow | undefined
  /** Whether it has a link by which whoever gets it by mistake says so. */
  isDisownable?: boolean
  /** What whoever has it sent writes, who may do that. */
  message?: string
  /** In place of the kind that was asked for. */
  kind?: MailKind
}

/** Makes a mail of its row. Undefined for an address that no mail may go to. */
export type Compose = (row: MailRow, recipient: Recipient) => Mail | undefined

/** What a row says beside its columns. */
interface RowData {
  at: number
  ip?: string | null
  browser?: string | null
  closesAt?: number
  /** What the app gave. */
  own?: Record<string, unknown>
}

interface ComposeParts {
  oneTimes: Pick<OneTimes, 'tokenOf' | 'codeOf'>
  link: MakeLink
  locales: Locales
}

export function createCompose ({ oneTimes, link, locales }: ComposeParts, settings: MailSettings): Compose {
  const { appName, from, templates = {} } = settings

  function secretsOf (kind: MailKind, proof: OneTimeRow, isDisownable: boolean): Partial<MailData> {
    // Only of kinds with a page there are proofs.
    const page = pageOfKind[kind]!
    const { codeSeconds } = lifeOf(proof.purpose)
    const token = oneTimes.tokenOf(proof)
    const linkMs = proof.expiresAt.getTime() - proof.createdAt.getTime()
    return {
      link: link(page, token),
      linkSeconds: Math.round(linkMs / 1000),
      ...isDisownable && { disownLink: link('disown', token) },
      ...codeSeconds && proof.challenge && { code: grouped(oneTimes.codeOf(proof)), codeSeconds },
    }
  }

  return (row, { address: given, proof, isDisownable = false, message, kind = row.kind as MailKind }) => {
    const address = mailableAddress(given)
    if (address === undefined) return
    const { at, ip = null, browser = null, closesAt, own } = row.data as unknown as RowData
    const data: MailData = {
      kind,
      appName,
      address,
      at: new Date(at),
      ip,
      browser,
      ...proof && secretsOf(kind, proof, isDisownable),
      ...message !== undefined && { message },
      ...closesAt !== undefined && { closesAt: new Date(closesAt) },
      ...own && { data: own },
    }
    const words = locales.wordsOf(row.locale)
    const { subject, text, html } = (templates[kind] ?? usualTemplate)(data, words)
    return {
      id: row.id,
      kind,
      to: { address },
      from,
      subject: subject.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' '),
      text,
      html,
      headers: { 'Auto-Submitted': 'auto-generated' },
      locale: row.locale,
    }
  }
}

/** Digits in two groups, which are easier to read and type. */
function grouped (code: string): string {
  const half = Math.ceil(code.length / 2)
  return `${code.slice(0, half)} ${code.slice(half)}`
}
