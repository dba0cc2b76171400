// An app on the packed package. It says which modules it has loaded, whether the parts of the package are of one piece,
// and how it fails in a project without the packages that are only for a database.
import { registerHooks } from 'node:module'

const loaded: string[] = []
let isBare = true
registerHooks({
  resolve (specifier, context, next) {
    if (!isBare || !/^@mikro-orm\/(?!core)/.test(specifier)) return next(specifier, context)
    throw Object.assign(new Error(`Cannot find package '${specifier}'`), { code: 'ERR_MODULE_NOT_FOUND' })
  },
  load (url, context, next) {
    loaded.push(url)
    return next(url, context)
  },
})
const [{ default: accounts, errors }, { default: Fastify }] =
  await Promise.all([import('fastify-jwt-accounts'), import('fastify')])
const register = async (options: object) => {
  const app = Fastify()
  await app.register(accounts, { db: ':memory:', secret: 'Zq8vT2kLw9XcR5nYb3HjM7pFs1DgA4uE', ...options })
  return app
}

const refused: unknown = await register({}).catch((error) => error)
isBare = false
await (await register({})).close()
const files = [...loaded]

const { Type } = await import('@sinclair/typebox')
const { clock, signIn } = await import('fastify-jwt-accounts/testing')
const app = await register({ user: { fields: { plan: Type.String({ default: 'free' }) } } })
const { user } = await signIn(app)
await app.close()
const time = clock()
let wrong: unknown
try {
  time.advance('soon')
} catch (error) {
  wrong = error
}
console.log(JSON.stringify({
  files,
  plan: user.plan,
  refused: String(refused),
  isOne: [refused, wrong].every((error) => error instanceof errors.OptionsInvalid),
}))
