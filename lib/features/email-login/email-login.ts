import { Type } from '@sinclair/typebox'
import { withHost } from '../../database/with-host.ts'
import { bodyErrors } from '../../guards/answers.ts'
import { answers, tags } from '../../http/answers.ts'
import { clientOf, sourceOf } from '../../http/request.ts'
import { ProofInvalid } from '../../one-time/errors.ts'
import type { OneTimeRow } from '../../one-time/rows.ts'
import { ChallengeIdField, ChallengeSchema, ProofBody, type Proof } from '../../one-time/schema.ts'
import { SessionsFull } from '../../sessions/errors.ts'
import { CredentialsInvalid } from '../../sign-in/errors.ts'
import { deliver } from '../../sign-in/grant.ts'
import type { Spend, Wish } from '../../sign-in/sign-in.ts'
import { ownSiteErrors, wishFields } from '../../transport/schema.ts'
import { User } from '../../users/entity.ts'
import { EmailSchema } from '../../users/schema.ts'
import type { AddRoutes } from '../feature.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import type { Spine } from '../spine.ts'
import { Throttled } from '../throttle/errors.ts'
import type { Limits } from '../throttle/limits.ts'

export function emailLogin (spine: Spine, mail: MailProofs, throttle: Limits): AddRoutes {
  const { database, hooks, sessions: { endings }, settings: { transport }, signIn, users: { lookUp } } = spine
  const { mailing: { notify, oneTimes }, reclaim } = mail

  const ask = {
    operationId: 'askForLogin',
    summary: 'Request a mail to sign in with',
    description: 'The response is the same whether there is such an account or not.',
    tags,
    body: Type.Object({ email: EmailSchema, challenge_id: ChallengeIdField }, { additionalProperties: false }),
    response: answers({ 202: ChallengeSchema }, ...bodyErrors, Throttled),
  }

  const completeSchema = () => ({
    operationId: 'loginByMail',
    summary: 'Sign in with the link or code of a mail',
    description: 'Only in the browser that requested it: a link needs the challenge too.',
    tags,
    body: ProofBody(wishFields(transport)),
    response: answers({ 200: signIn.TokenResponseSchema }, ...bodyErrors, ...ownSiteErrors(transport), ProofInvalid,
      SessionsFull, Throttled, ...signIn.refusals()),
  })

  /** A user whose address nobody had proved has nothing of before: whoever opened the account may be a stranger. */
  async function spend (proof: OneTimeRow, callHost: Parameters<typeof reclaim>[2]['callHost'],
    ...[tx, user, write, note]: Parameters<Spend>): Promise<User> {
    if (user.emailKey !== proof.addressKey || user.epoch !== proof.epoch) throw new ProofInvalid()
    await oneTimes.use(tx, proof)
    if (user.emailVerifiedAt) return user

    const now = new Date()
    await tx.nativeUpdate(User, { id: user.id }, { passwordHash: '', emailVerifiedAt: now, updatedAt: now })
    await endings.endOthers(tx, write, user.id, 'password', undefined, new Date(0))
    await reclaim(tx, user, { note, callHost })
    return (await lookUp.byId(user.id, tx))!
  }

  return (scope, path) => {
    scope.post(path, { schema: ask }, async (request, reply) => {
      const { email: identifier, challenge_id: challengeId } = request.body
      reply.code(202)
      return mail.ask(request, reply, { kind: 'login', purpose: 'login', identifier, challengeId })
    })

    scope.post(`${path}/complete`, { schema: completeSchema() }, async (request, reply) => {
      const { transport: wanted, remember, ...body } = request.body as Proof & Wish
      const wish = { ...wanted && { transport: wanted }, ...remember !== undefined && { remember } }
      const beginning = signIn.beginningOf(request, wish)
      const proof = await mail.prove(request, 'login', body)
      mail.requireChallenge(request, body, proof)
      const found = await lookUp.byId(proof.userId!)
      if (!found || found.disabledAt) throw new ProofInvalid()

      const { data, claims } = await signIn.givenByHost(found, request)
      const granted = await withHost(database, (callHost) => signIn.signIn(
        found,
        { ...beginning, data, amr: ['mail'] },
        (session) => throttle.remember(signIn.grant(session, claims), session),
        async (tx, ...given) => {
          const user = await spend(proof, callHost, tx, ...given)
          await notify(tx, 'loginByMail', user, { client: clientOf(request) })
          return user
        }
      )).catch(orInvalid)
      hooks.onLogin?.(granted.body.user, sourceOf(request))
      await signIn.endReplaced(request, beginning.transport)
      return deliver(reply, granted)
    })
  }
}

/** Whoever was disabled or signed out everywhere meanwhile has a proof that does not hold any more. */
function orInvalid (error: unknown): never {
  throw error instanceof CredentialsInvalid ? new ProofInvalid() : error
}
