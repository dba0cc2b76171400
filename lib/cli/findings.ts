import { canSign } from '../tokens/key.ts'
import { proofRule } from '../transport/csrf.ts'
import { OptionsSchema } from '../options.ts'
import type { Check, Finding, Subject } from './finding.ts'
import { mailRules } from './mail-findings.ts'

const owasp = { memoryCost: 19456, timeCost: 2 }
const isLocal = (origin: string) => /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|$)/.test(origin)

const rules: Check[] = [
  ['warning', ({ given }) => given.secret === undefined,
    'There is no secret: a random one signs until the process ends, which logs everybody out, ' +
      'and in production the app refuses to start.',
    'Put what `fastify-jwt-accounts secret` prints into JWT_SECRET_KEY.'],

  [
    'warning',
    ({ settings: { access } }) => access.expiresInSeconds < 60,
    'Access tokens live for less than a minute, so clients do little but refresh.',
    'Raise access.expiresIn: a revoked token is refused at once, however long it would live.',
  ],
  [
    'warning',
    ({ settings: { access } }) => access.expiresInSeconds > 3600,
    'Access tokens live for more than an hour: services that only verify them hear of no logout before that.',
    'Lower access.expiresIn to minutes.',
  ],
  [
    'warning',
    ({ settings: { refresh } }) => refresh.windowSeconds === 0,
    'Each refresh token works once, to the letter: an answer that gets lost, or a second tab, logs an honest user out.',
    'Give refresh.window some seconds, such as 30s.',
  ],
  [
    'warning',
    ({ settings: { refresh } }) => refresh.windowSeconds > 300,
    'A spent refresh token is answered for more than five minutes, and a thief within that time is not seen.',
    'Lower refresh.window to a minute or less.',
  ],
  [
    'warning',
    ({ settings: { access, refresh } }) =>
      refresh.windowSeconds > 0 && refresh.windowSeconds >= access.expiresInSeconds,
    'The window of spent refresh tokens is as long as the life of an access token, ' +
      'so a client may refresh for ever without a new refresh token.',
    'Make refresh.window shorter than access.expiresIn.',
  ],
  [
    'warning',
    ({ settings: { refresh } }) => refresh.expiresInSeconds < 3600,
    'A session that lies idle for less than an hour is over.',
    'Raise refresh.expiresIn, unless that is what you want.',
  ],
  [
    'warning',
    ({ settings: { leewaySeconds } }) => leewaySeconds > 60,
    'Tokens are good for more than a minute after their end.',
    'Keep the clocks in step, and lower leeway.',
  ],

  [
    'error',
    ({ settings: { transport, cookies } }) => transport !== 'body' && !cookies.secure,
    'Cookies with tokens travel without TLS, where everybody on the way can read them.',
    'Leave cookies.secure true: browsers take such cookies from http://localhost too.',
  ],
  [
    'warning',
    ({ settings: { transport, cookies } }) => transport !== 'body' && cookies.sameSite === 'none',
    'Cookies are sent with requests from every other site: the proof against CSRF alone keeps those out.',
    'Leave cookies.sameSite at lax unless your pages are on another site.',
  ],
  [
    'warning',
    ({ settings: { csrf } }) => csrf.trustedOrigins.some((origin) => origin.startsWith('http:') && !isLocal(origin)),
    'A trusted origin is http: who is on the way can put a page of their own there.',
    'Serve those pages by https, and name that origin in csrf.trustedOrigins.',
  ],
  [
    'warning',
    ({ settings: { transport, csrf } }) => transport !== 'body' && csrf.trustedOrigins.length === 0,
    'Nobody gets cookies whose browser sends no Sec-Fetch-Site: on plain HTTP but for localhost, ' +
      'in Safari before 16.4, and behind a proxy that strips it.',
    'Name the origin of your own pages in csrf.trustedOrigins, such as https://app.example.com.',
  ],
  [
    'warning',
    ({
      settings: {
        transport,
        csrf: { methods },
      },
    }) => transport !== 'body' && ['POST', 'PUT', 'PATCH', 'DELETE'].some((method) => !proofRule(methods)(method)),
    'A method that changes something needs no proof against CSRF on your routes: ' +
      'any other site may send it with the cookies of a visitor.',
    'Leave csrf.methods out: all but GET, HEAD, OPTIONS, TRACE and QUERY need the proof then.',
  ],
  [
    'warning',
    ({ settings: { locations } }) => locations.includes('query'),
    'Tokens are taken from URLs, which end up in logs and histories.',
    "Take 'query' out of locations, and name it at the one route that needs it.",
  ],

  [
    'warning',
    ({ given }) => (given.throttle ?? OptionsSchema.properties.throttle.default) === false,
    'Nothing limits guesses of passwords.',
    'Turn throttle on where there is one, or put a rate limit before the routes.',
  ],
  [
    'warning',
    ({ settings: { password } }) => password.minLength < 15,
    'Passwords may be shorter than 15 characters, ' +
      'which NIST SP 800-63B-4 asks for where nothing else protects the account.',
    'Raise password.minLength.',
  ],
  [
    'warning',
    ({
      settings: {
        password: { argon2 },
      },
    }) => argon2.memoryCost * argon2.timeCost < owasp.memoryCost * owasp.timeCost,
    'Passwords are hashed at less than the cost that OWASP asks for.',
    'Leave password.argon2 as it is, or raise it.',
  ],
  [
    'remark',
    ({ given }) => given.password?.pepper === undefined,
    'Passwords are hashed without a pepper: who steals the database can guess at weak ones at once.',
    'A pepper is kept outside of the database (password.pepper). Decide early: it can never be lost.',
  ],

  ...mailRules,

  [
    'error',
    ({ settings: { orm, db, keys } }) => !orm && db === ':memory:' && canSign(keys),
    'Accounts are kept in memory: they are gone with the process, and each process has its own.',
    'Give db a file or the URL of a server.',
  ],
  [
    'remark',
    ({ settings: { orm, db } }) => !orm && db !== ':memory:' && !db.includes('://'),
    'An SQLite file serves the processes of one machine.',
    'With several machines, give db the URL of a PostgreSQL, MariaDB or MySQL.',
  ],
  [
    'remark',
    () => true,
    'Behind a proxy, addresses in sessions and limits are those of the proxy, unless Fastify is told.',
    'Make the app with Fastify({ trustProxy }) if, and only if, it stands behind one.',
  ],
]

/** The findings about a configuration that the plugin would take. */
export function findingsOf (subject: Subject): Finding[] {
  return rules
    .filter(([, applies]) => applies(subject))
    .map(([level, , finding, remedy]) => ({ level, finding, remedy }))
}
