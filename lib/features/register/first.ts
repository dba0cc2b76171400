import { Type } from '@sinclair/typebox'
import { bodyErrors } from '../../guards/answers.ts'
import { answers, tags } from '../../http/answers.ts'
import { InputInvalid } from '../../http/errors.ts'
import { clientOf, disconnectSignal } from '../../http/request.ts'
import { ProofInvalid } from '../../one-time/errors.ts'
import { lives } from '../../one-time/purposes.ts'
import { isGood, type OneTimeRow } from '../../one-time/rows.ts'
import { ChallengeSchema, ProofBody, type Proof } from '../../one-time/schema.ts'
import { challengeHash } from '../../one-time/secrets.ts'
import type { Wish } from '../../sign-in/sign-in.ts'
import { ownSiteErrors, transportFields } from '../../transport/schema.ts'
import { UserExists } from '../../users/errors.ts'
import type { Profile } from '../../users/fields.ts'
import type { AddRoutes } from '../feature.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import { Busy, PasswordRejected } from '../passwords/errors.ts'
import type { Spine } from '../spine.ts'
import { Throttled } from '../throttle/errors.ts'
import { registrationFields, type Registration } from './body.ts'
import type { RegisterNeeds, RegisterSettings } from './needs.ts'
import type { OpenAccount } from './opening.ts'

/** What is kept of somebody who has not proved their address yet, beside the address. */
interface Pending {
  username: string | null
  passwordHash: string
  profile: Profile
}

/**
 * Registration where the address is proved first: until then there is no user, and whether an address is taken is found
 * out when the mail is sent.
 */
export function registerFirst (
  spine: Spine, { hooks: { onRegister } }: RegisterSettings, needs: RegisterNeeds & { mail: MailProofs },
  openAccount: OpenAccount
): { register: AddRoutes, completeRegistration: AddRoutes } {
  const { database, settings: { transport }, signIn, users: { draft, fields, lookUp, publicUsers } } = spine
  const { throttle, passwords, mail } = needs
  const { challenges, mailing: { oneTimes, write, localeFor } } = mail
  const { seconds } = lives.register

  mail.mailing.worker.recipients.register = async (row) => {
    const proof = await database.run((em) => oneTimes.find(em, row.oneTimeId!))
    if (!proof || !isGood(proof)) return
    const turn = await mail.mayGo(row, proof.addressKey)
    if (turn !== 'now') return turn
    const isTaken = await lookUp.byKey(proof.addressKey) !== null
    return { address: proof.address, ...isTaken ? { kind: 'register-taken' } : { proof } }
  }

  const askSchema = {
    operationId: 'register',
    summary: 'Register, and prove the address first',
    description: 'The response is the same whether the address has an account or not. See completeRegistration.',
    tags,
    body: Type.Object(registrationFields(spine, passwords, true), { additionalProperties: false }),
    response: answers({ 202: ChallengeSchema }, ...bodyErrors, PasswordRejected, UserExists, Throttled, Busy),
  }

  const completeSchema = {
    operationId: 'completeRegistration',
    summary: 'Complete a registration and sign in, with the link or code of a mail',
    description: 'In the browser that started the registration, send the challenge. Elsewhere, send a new password.',
    tags,
    body: ProofBody({ password: Type.Optional(passwords.PasswordSchema), ...transportFields(transport) }),
    response: answers({ 201: signIn.TokenResponseSchema }, ...bodyErrors, ...ownSiteErrors(transport), ProofInvalid,
      PasswordRejected, UserExists, Throttled, Busy),
  }

  const register: AddRoutes = (scope, path) => scope.post(path, { schema: askSchema }, async (request, reply) => {
    const { username: typed, email, password, ...profile } = request.body as Registration
    const challenge = challenges.of(undefined)
    const client = clientOf(request)
    const prepare = async () => draft({ username: typed, email }, { ...fields.given, ...profile }, (names) =>
      passwords.take(password!, names, disconnectSignal(reply)))
    await passwords.admit(request, () => throttle.register(request, prepare, async (pending) => {
      const { username, usernameKey, email, emailKey, passwordHash, profile } = pending
      // A name is no secret: it stands beside what people write.
      if (usernameKey && await lookUp.byKey(usernameKey)) throw new UserExists('username')
      const data: Pending = { username, passwordHash, profile }
      await database.transaction(async (tx) => {
        const { id: oneTimeId } = await oneTimes.make(tx, {
          purpose: 'register',
          address: email!,
          addressKey: emailKey!,
          challenge: challengeHash(challenge),
          data: { ...data },
        })
        const locale = localeFor(null, client, request)
        await write(tx, { kind: 'register', address: email!, oneTimeId, client, locale, seconds, delayMs: 50 })
      })
    }))
    reply.code(202)
    return challenges.answer(reply, challenge, seconds)
  })

  const completeRegistration: AddRoutes = (scope, path) => scope.post(path, {
    schema: completeSchema,
  }, async (request, reply) => {
    const { transport, password, ...body } = request.body as Proof & Pick<Wish, 'transport'> & { password?: string }
    const opening = openAccount(request, transport)
    const granted = await passwords.admit(request, async () => {
      const proof = await mail.prove(request, 'register', body)
      const user = await userOf(proof, async (pending, names) => {
        if (mail.isAsker(request, body, proof)) return pending
        if (password === undefined) throw new InputInvalid('body must have password, which is chosen anew here')
        return passwords.take(password, names, disconnectSignal(reply))
      })
      const { username, email, profile } = user
      return opening.store(user, await opening.givenByHost(user), {
        within: (tx) => oneTimes.use(tx, proof),
        join: (callHost, tx) =>
          callHost(tx, onRegister, publicUsers.of(user), { ...username !== null && { username }, email, ...profile }),
      })
    })
    return opening.answer(reply, granted)
  })

  /** The user of what was kept, whose address is proved. */
  function userOf (
    { address: email, data }: OneTimeRow,
    hashOf: (pending: string, names: { username: string | null, email: string | null }) => Promise<string>
  ) {
    const { username, passwordHash, profile } = data as unknown as Pending
    const identity = { username: username ?? undefined, email, past: { emailVerifiedAt: new Date() } }
    return draft(identity, profile, (names) => hashOf(passwordHash, names))
  }

  return { register, completeRegistration }
}
