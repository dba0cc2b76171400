import { RouteSchema } from '../routes.ts'

export const routes = {
  register: RouteSchema('/register', true, '`POST /register`.', { method: 'POST', issues: true }),
  completeRegistration: RouteSchema('/register/complete', true,
    "`POST /register/complete`, with `email.verification: 'first'`.", {
      method: 'POST',
      issues: true,
      isOfUse: (_, { email }: { email: { verification?: string } }) => email.verification === 'first',
    }),
}
