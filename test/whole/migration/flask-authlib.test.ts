import t from 'tap'
import accounts from '../../../lib/index.ts'
import { cheap, secret } from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'
import { answers } from './answers.ts'
import { startApps } from './apps.ts'
import { sharedExamples } from './shared.ts'
import { fromOthers, testTable, type Others } from './tables.ts'

const apps = await startApps(t)
const { usual, custom, ada } = apps
const { movesRoutes, hasMessages, checks, hasMinLength, showsFields } = sharedExamples(apps)

const authlib: Others = {
  JWT: 'JWTManager',
  LOGIN_URL: movesRoutes,
  REGISTER_URL: 'LOGIN_URL',
  async TABLENAME (t) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(accounts, { db: custom.db, name: 'staff', secret, password: cheap })
    t.same(
      (
        await custom.sql.all(
          "select name from sqlite_master where type = 'table' and name like '%\\_users' escape '\\' order by name"
        )
      ).map(({ name }) => name),
      ['accounts_users', 'staff_users']
    )
  },
  MIN_PASSWORD_LENGTH: hasMinLength,
  TOKEN_LIFETIME: 'JWT_ACCESS_TOKEN_EXPIRES',
  SECRET_KEY: 'JWT_SECRET_KEY',
  alerts: hasMessages,
  user_schema: showsFields,
  UserModel: 'user_schema',
  jwt_required: 'jwt_required',
  required: checks,
  can_activate: 'required',
  AdminOnly: (t) => answers(t, usual.post('/admin', undefined, ada.access_token), 403, { code: 'ACCOUNTS_FORBIDDEN' }),
  user: 'current_user',
}

testTable(t, fromOthers, 'Flask-Authlib', authlib)
