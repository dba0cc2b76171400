import t from 'tap'
import { isMissing } from '../../lib/checks/missing-package.ts'
import { missing } from '../support/missing.ts'

t.test('a package that is not installed is missing', async (t) => {
  for (const [code, message] of [
    [
      'ERR_MODULE_NOT_FOUND',
      "Cannot find package '@mikro-orm/mysql' imported from /app/node_modules/fastify-jwt-accounts/dist/lib/databases/dialects.js",
    ],
    ['MODULE_NOT_FOUND', "Cannot find module '@mikro-orm/mysql'\nRequire stack:\n- /app/server.cjs"],
    [
      'MODULE_NOT_FOUND',
      "Cannot find module '@mikro-orm/mysql' from 'node_modules/fastify-jwt-accounts/dist/lib/databases/dialects.js'",
    ],
    [
      'MODULE_NOT_FOUND',
      "Your application tried to access @mikro-orm/mysql, but it isn't declared in your dependencies",
    ],
  ] as const) { t.equal(isMissing(Object.assign(new Error(message), { code }), '@mikro-orm/mysql'), true, message) }
})

t.test('what fails in another way, or for want of another package, is not', async (t) => {
  const failures = [
    missing('@mikro-orm/mysql2'),
    missing('better-sqlite3'),
    Object.assign(new Error("Cannot find module '/app/sqlite.js' imported from /app/bundle.js"), {
      code: 'ERR_MODULE_NOT_FOUND',
    }),
    Object.assign(
      new Error(
        "Cannot find module '/app/node_modules/@mikro-orm/mysql/MySqlDriver.js' imported from /app/node_modules/@mikro-orm/mysql/index.js"
      ),
      { code: 'ERR_MODULE_NOT_FOUND' }
    ),
    Object.assign(
      new Error("Cannot find module 'mysql2'\nRequire stack:\n- /app/node_modules/@mikro-orm/mysql/index.js"),
      { code: 'MODULE_NOT_FOUND' }
    ),
    new Error("Cannot find package '@mikro-orm/mysql'"),
    "Cannot find package '@mikro-orm/mysql'",
    undefined,
  ]
  for (const failure of failures) t.equal(isMissing(failure, '@mikro-orm/mysql'), false, String(failure))
})
