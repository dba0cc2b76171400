import { Type, type Static } from '@sinclair/typebox'
import { accessErrors, bodyErrors, borrowedErrors } from '../../guards/answers.ts'
import { EmailUnverified, TokenStale, TokenWeak } from '../../guards/errors.ts'
import { answers, tags } from '../../http/answers.ts'
import type { AnyReply, AnyRequest } from '../../http/request.ts'
import { ProofInvalid } from '../../one-time/errors.ts'
import { SessionsFull } from '../../sessions/errors.ts'
import type { CookieResponse, TokenResponse } from '../../sign-in/grant.ts'
import { FactorExists, FactorInvalid, FactorMissing, LastCredential } from '../factors/errors.ts'
import type { Factors } from '../factors/factors.ts'
import type { AddRoutes } from '../feature.ts'
import type { RecoveryCodes } from '../recovery-codes/recovery-codes.ts'
import type { Spine } from '../spine.ts'
import { stepOf } from './code.ts'
import { enrolmentSeconds, stateOf, type Enrolments } from './enrolment.ts'
import { CodeSchema, type TotpParts } from './method.ts'

interface RouteParts extends TotpParts {
  factors: Factors
  recoveryCodes: RecoveryCodes
  enrolments: Enrolments
  /** What apps call this one. */
  issuer: string
}

/** Of a seed, as base32. */
const example = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'

type Tokens = TokenResponse | CookieResponse

/** An authenticator app is set up, replaced and taken away. */
export function totpRoutes (spine: Spine, parts: RouteParts): AddRoutes {
  const { database, guards, settings: { locations }, signIn } = spine
  const { factors, recoveryCodes, codes, rows, seeds, enrolments, issuer } = parts
  const errors = [...accessErrors(locations), ...bodyErrors, ...borrowedErrors(spine.settings), TokenStale, TokenWeak]

  const BeginBody = Type.Object({ ticket: factors.TicketSchema }, { additionalProperties: false })
  const ConfirmBody = Type.Object({
    ticket: factors.TicketSchema,
    enrolment: Type.String({ maxLength: 1024, description: 'As returned by POST.' }),
    code: CodeSchema,
  }, { additionalProperties: false })

  const begin = {
    operationId: 'beginTotp',
    summary: 'Start to set up an authenticator app',
    description: 'Stores nothing. Requires all factors, proved within 10 minutes, or the ticket of a refusal that ' +
      'required an enrolment.',
    tags,
    body: BeginBody,
    response: answers({
      200: Type.Object({
        enrolment: Type.String({ description: 'Send it with the first code.', examples: ['s1.Qx0bZr7k.…'] }),
        secret: Type.String({ description: 'For typing it into the app.', examples: [example] }),
        uri: Type.String({
          description: 'For a QR code.',
          examples: [`otpauth://totp/Example:ada?issuer=Example&secret=${example}`],
        }),
        expires_in: Type.Integer({ description: 'Seconds until it expires.', examples: [enrolmentSeconds] }),
      }, { description: 'A seed for the app' }),
    }, ...errors, EmailUnverified),
  }
  const confirm = {
    operationId: 'confirmTotp',
    summary: 'Set up an authenticator app with its first code',
    description: 'Replaces an earlier app. Every other session ends.',
    tags,
    body: ConfirmBody,
    response: answers({
      200: Type.Object({
        ...signIn.TokenResponseSchema.properties,
        recovery_codes: Type.Optional(recoveryCodes.Schema),
      }, { description: 'Tokens, and recovery codes where there were none' }),
    }, ...errors, EmailUnverified, ProofInvalid, FactorInvalid, FactorExists, SessionsFull),
  }
  const remove = {
    operationId: 'removeTotp',
    summary: 'Remove the authenticator app',
    description: 'Every other session ends. Removing the last factor removes the recovery codes too.',
    tags,
    response: answers({ 200: signIn.TokenResponseSchema }, ...errors, FactorMissing, LastCredential),
  }

  async function beginTotp (request: AnyRequest, reply: AnyReply) {
    const { ticket } = request.body as Static<typeof BeginBody>
    const enroller = await factors.enrolling(request, reply, ticket)
    const { user } = enroller
    const row = await database.run((em) => rows.find(em, user.id))
    const { enrolment, seed } = enrolments.begin(enroller, stateOf(row))
    const uri = codes.uriOf(seed, issuer, user.username ?? user.email ?? user.id)
    return { enrolment, secret: codes.secretOf(seed), uri, expires_in: enrolmentSeconds }
  }

  async function confirmTotp (
    request: AnyRequest, reply: AnyReply
  ): Promise<Tokens & { recovery_codes?: string[] }> {
    const { ticket, enrolment, code } = request.body as Static<typeof ConfirmBody>
    const enroller = await factors.enrolling(request, reply, ticket)
    const { seed, state } = enrolments.open(enroller, enrolment)
    const lastStep = stepOf(codes, seed, code, { now: Date.now(), after: 0 })
    if (lastStep === undefined) throw new FactorInvalid()
    return factors.change(request, reply, enroller, {
      type: 'factor-added',
      reason: 'totp',
      secondFactor: 'on',
      proved: { acr: 'aal2', amr: ['otp', 'mfa'] },
      endsOthers: true,
      async act (tx, { id: userId }) {
        if (stateOf(await rows.find(tx, userId)) !== state) throw new FactorExists()
        await rows.remove(tx, userId)
        await rows.insert(tx, userId, { ...seeds.seal(seed, userId), lastStep })
        const given = await recoveryCodes.giveFirst(tx, userId)
        return given ? { recovery_codes: given } : {}
      },
    })
  }

  async function removeTotp (request: AnyRequest, reply: AnyReply): Promise<Tokens> {
    const enroller = await factors.signedIn(request)
    return factors.change(request, reply, enroller, {
      type: 'factor-removed',
      reason: 'totp',
      endsOthers: true,
      async act (tx, { id }) {
        if (!await rows.remove(tx, id)) throw new FactorMissing()
        return {}
      },
    })
  }

  const onRequest = guards.ownGuard({ strong: 'always', consistency: 'strict' })
  return (scope, path) => {
    scope.post(`${path}/totp`, { schema: begin }, beginTotp)
    scope.put(`${path}/totp`, { schema: confirm }, confirmTotp)
    scope.delete(`${path}/totp`, { schema: remove, onRequest }, removeTotp)
  }
}
