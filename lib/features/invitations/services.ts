import type { Static } from '@sinclair/typebox'
import type { InTransaction } from '../../database/transactions.ts'
import { OptionsInvalid } from '../../http/errors.ts'
import { knownOptions } from '../../http/service-options.ts'
import { PageSchema } from '../../users/look-up.ts'
import type { Spine } from '../spine.ts'
import type { Invitation, Invited } from './invitation.ts'
import type { Invitations } from './invitations.ts'
import { InvitedSchema } from './schema.ts'

/** Invitations. Unknown options throw `OptionsInvalid`, and so does every call without `mail.links.invite`. */
export interface InvitationServices {
  /**
   * Invites an address by mail, or returns its valid invitation.
   * @throws {InputInvalid}
   */
  create: (invited: Invited, options?: InTransaction) => Promise<Invitation>
  /**
   * Lists valid invitations, the newest first: a page of `limit` (1 to 100, default 50), after the one with the id
   * `after`, which is the `next` of the previous page.
   * @throws {InputInvalid}
   */
  list: (
    options?: InTransaction & { limit?: number, after?: string }
  ) => Promise<{ invitations: Invitation[], next: string | null }>
  /**
   * Withdraws an invitation.
   * @throws {NotFound}
   */
  revoke: (id: string, options?: InTransaction) => Promise<void>
  /**
   * Sends the mail of an invitation again.
   * @throws {NotFound}
   */
  send: (id: string, options?: InTransaction) => Promise<void>
}

export function createInvitationServices (
  { input }: Pick<Spine, 'input'>, invitations: Invitations | undefined
): InvitationServices {
  const read = input.reader(InvitedSchema, 'whole')
  const readPage = input.reader(PageSchema, 'whole')

  function opened (call: string, options: InTransaction = {}) {
    const { em } = knownOptions(`invitations.${call}`, ['em'], options)
    return { em, invitations: required(call) }
  }

  function required (call: string): Invitations {
    if (!invitations) throw new OptionsInvalid(`invitations.${call}() needs mail.links.invite, a page of yours`)
    return invitations
  }

  return {
    async create (given, options) {
      const { em, invitations } = opened('create', options)
      const { invitation } = await invitations.create(read(given) as unknown as Invited, { em })
      return invitation
    },

    async list (options = {}) {
      const { em, ...given } = knownOptions('invitations.list', ['em', 'limit', 'after'], options)
      const { limit, after } = readPage(given) as Static<typeof PageSchema>
      return required('list').page(limit, after, em)
    },

    async revoke (id, options) {
      const { em, invitations } = opened('revoke', options)
      await invitations.revoke(id, em)
    },

    async send (id, options) {
      const { em, invitations } = opened('send', options)
      await invitations.send(id, em)
    },
  }
}
