import { withMail } from '../../mail/options.ts'
import { RouteSchema } from '../routes.ts'

export const routes = {
  resetPassword: RouteSchema('/password/forgot', true, '`POST /password/forgot`, `POST /password/reset`, with mail.', {
    method: 'POST', also: ['/password/reset'], isOfUse: withMail,
  }),
}
