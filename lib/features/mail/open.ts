import { OptionsInvalid } from '../../http/errors.ts'
import { eachWithDeadline } from '../../http/deadline.ts'
import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import type { Limits } from '../throttle/limits.ts'
import type { MailProofs } from './mail-proofs.ts'
import type { MailServices } from './mail-services.ts'
import type { MailHooks } from './options.ts'
import type { ProofServices } from './proof-services.ts'

/** What the feature adds to `app.accounts`. */
export interface Services { mail: MailServices, proofs: ProofServices }

export async function open (
  spine: Spine, settings: MailHooks, { throttle }: { throttle: Limits }
): Promise<Open<MailProofs, Services>> {
  // Nothing that needs it is open without mails.
  if (!spine.mail) return { face: undefined as unknown as MailProofs, services: withoutMail() }

  const { createMailProofs, createMailServices, createProofServices, recipientsOfOwn } = await import('./parts.ts')
  Object.assign(spine.mail.worker.recipients, recipientsOfOwn(spine.users.lookUp, spine.mail.settings))
  const services = {
    mail: eachWithDeadline(createMailServices(spine, spine.mail)),
    proofs: eachWithDeadline(createProofServices(spine, spine.mail)),
  }
  return { face: createMailProofs(spine, settings, throttle), services }
}

/** Every call says that there are no mails. */
function withoutMail (): Services {
  const refuse = (name: string) => async () => {
    throw new OptionsInvalid(`${name}() needs the option mail`)
  }
  const each = <Name extends string>(group: string, names: Name[]) =>
    Object.fromEntries(names.map((name) => [name, refuse(`${group}.${name}`)])) as Record<Name, () => Promise<never>>
  return {
    mail: each('mail', ['send', 'retry', 'failed', 'find', 'list']),
    proofs: each('proofs', ['make', 'use']),
  }
}
