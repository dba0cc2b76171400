import { Type, type TObject, type TSchema } from '@sinclair/typebox'
import { bodyErrors } from '../../guards/answers.ts'
import { answers, tags } from '../../http/answers.ts'
import { component } from '../../http/component.ts'
import { InputInvalid } from '../../http/errors.ts'
import { disconnectSignal, type AnyRequest } from '../../http/request.ts'
import { ChallengeSchema } from '../../one-time/schema.ts'
import { setCookies } from '../../transport/keep.ts'
import { ownSiteErrors, transportFields } from '../../transport/schema.ts'
import { UserExists } from '../../users/errors.ts'
import { optionalFields } from '../../users/fields.ts'
import type { AddRoutes } from '../feature.ts'
import { Busy, PasswordRejected } from '../passwords/errors.ts'
import type { Spine } from '../spine.ts'
import { Throttled } from '../throttle/errors.ts'
import { registrationFields, type Registration } from './body.ts'
import type { Instead, Newcomer } from './instead.ts'
import type { RegisterNeeds, RegisterSettings } from './needs.ts'
import type { OpenAccount } from './opening.ts'

export function register (
  spine: Spine, { hooks: { onRegister } }: RegisterSettings, { throttle, email: addresses, passwords }: RegisterNeeds,
  openAccount: OpenAccount, insteads: Instead[]
): AddRoutes {
  const { input, settings: { transport }, signIn, users: { draft, fields, publicUsers } } = spine
  const { TokenResponseSchema } = signIn
  const { password: _, ...asked } = registrationFields(spine, passwords, false)
  /** What the body and what is in a password's place have to have together. */
  const readWhole = input.reader(Type.Object(asked, { additionalProperties: false }), 'whole')

  /** When the route is added, all features have said what they take in a password's place. */
  const schemaOf = () => ({
    operationId: 'register',
    summary: 'Create an account and sign in',
    ...insteads.length > 0 && { description: `Either with ${ways().join(', or with ')}.` },
    tags,
    body: Type.Object({
      ...withInsteads(registrationFields(spine, passwords, false), insteads),
      ...transportFields(transport),
    }, { additionalProperties: false }),
    response: answers({
      201: withMore(TokenResponseSchema, {
        ...addresses?.isOffered && { email_challenge: Type.Optional(ChallengeSchema) },
        ...Object.assign({}, ...insteads.map(({ AnswerFields }) => AnswerFields)),
      })
    }, ...bodyErrors, ...ownSiteErrors(transport), PasswordRejected, UserExists, Throttled, Busy,
    ...insteads.flatMap(({ Refusals }) => Refusals)),
  })

  const ways = () => ['password', ...insteads.map(({ fields }) => Object.keys(fields).join(' and '))]

  /** What is in a password's place. */
  function insteadOf (body: Members): Instead | undefined {
    const given = insteads.filter(({ fields }) => Object.keys(fields).some((name) => body[name] !== undefined))
    const [instead] = given
    const isWhole = given.length === 1 && Object.keys(instead!.fields).every((name) => body[name] !== undefined)
    if (body.password !== undefined ? given.length === 0 : isWhole) return instead
    throw new InputInvalid(`body must have either ${ways().join(', or ')}`)
  }

  /** Together with what comes along beside the body. */
  function withBrought (request: AnyRequest, body: Members): Members {
    const names = ['password', ...insteads.flatMap(({ fields }) => Object.keys(fields))]
    if (names.some((name) => body[name] !== undefined)) return body
    return Object.assign({}, ...insteads.map(({ broughtBy }) => broughtBy?.(request)), body)
  }

  /** All that a registration asks for beside a password, of the body or of what is in the password's place. */
  function wholeOf (body: Members, { names, profile = {} }: Partial<NonNullable<Newcomer['brings']>> = {}) {
    // The schema of the route has asked for all of it.
    if (!insteads.some(({ bringsMore }) => bringsMore)) return body as Registration & Members
    const [own, readOnly] = parted(profile, Object.keys(asked))
    return { ...readOnly, ...readWhole({ ...names, ...own, ...body }) } as Registration & Members
  }

  return (scope, path) => scope.post(path, { schema: schemaOf() }, async (request, reply) => {
    const { transport, ...sent } = request.body as Registration & Members
    const { password, ...body } = withBrought(request, sent) as Registration & Members
    const instead = insteadOf({ password, ...body })
    const [proof, given] = parted(body, Object.keys(instead?.fields ?? {}))
    const opening = openAccount(request, transport)
    const prepare = async () => {
      const newcomer = await instead?.check(proof, given)
      const { username, email, ...profile } = wholeOf(given, newcomer?.brings)
      const drafted = await draft({ username, email, ...newcomer && { past: { id: newcomer.id } } },
        { ...fields.given, ...profile }, (names) =>
          password === undefined ? '' : passwords.take(password, names, disconnectSignal(reply)))
      const user = { ...drafted, ...newcomer?.columns }
      const asked = user.emailVerifiedAt ? undefined : addresses?.offer(request, user)
      return { user, newcomer, body: { username, email, ...profile }, asked, given: await opening.givenByHost(user) }
    }
    const open = () => throttle.register(request, prepare, async ({ user, newcomer, body, asked, given }) => {
      let extra: object | undefined
      const granted = await opening.store(user, given, {
        async within (tx) {
          await newcomer?.spend?.(tx)
          await asked?.write(tx)
        },
        ...newcomer && {
          added: async (tx) => { extra = await newcomer.store(tx, user.id) },
          happening: newcomer.happening,
        },
        join: (callHost, tx) =>
          callHost(tx, onRegister, publicUsers.of(user), body),
      }, newcomer?.proved)
      setCookies(reply, newcomer?.cookies ?? [])
      return { granted, asked, extra }
    })
    // Where nothing is hashed nobody stands in that line.
    const { granted, asked, extra } = await (instead ? open() : passwords.admit(request, open))
    const answer = await opening.answer(reply, granted)
    return { ...answer, ...asked && { email_challenge: asked.answer(reply) }, ...extra }
  })
}

type Members = Record<string, unknown>

/** The members of these names, and the others. */
function parted (members: Members, names: string[]): [Members, Members] {
  const entries = Object.entries(members)
  const among = (isNamed: boolean) => Object.fromEntries(entries.filter(([name]) => names.includes(name) === isNamed))
  return [among(true), among(false)]
}

/** Where something else may be given, the password need not be. */
function withInsteads (fields: ReturnType<typeof registrationFields>, insteads: Instead[]): Record<string, TSchema> {
  if (insteads.length === 0) return fields
  const others = insteads.flatMap(({ fields }) => Object.entries(fields))
  return {
    ...insteads.some(({ bringsMore }) => bringsMore) ? optionalFields(fields) : fields,
    password: Type.Optional(fields.password),
    ...Object.fromEntries(others.map(([name, field]) => [name, Type.Optional(field)])),
  }
}

/** The answer where there may be more beside the tokens. */
function withMore (schema: TObject, more: Record<string, TSchema>): TObject {
  if (Object.keys(more).length === 0) return schema
  return component('RegisterResponse', { ...schema, properties: { ...schema.properties, ...more } })
}
