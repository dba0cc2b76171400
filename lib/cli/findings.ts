import { canSign } from '../tokens/key.ts'
import { proofRule } from '../transport/csrf.ts'
import { OptionsSchema } from '../options.ts'
import type { Check, Finding, Subject } from './finding.ts'
import { mailRules } from './mail-findings.ts'

const owasp = { memoryCost: 19456, timeCost: 2 }
const isLocal = (origin: string) => /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|$)/.test(origin)

const rules: Check[] = [
  ['warning', ({ given }) => given.secret === undefined,
    'There is no secret: a random one is used until the process ends, and then everybody is logged out. In ' +
    'production the app does not start.',
    'Put what `fastify-jwt-accounts secret` prints into JWT_SECRET_KEY.'],

  [
    'warning',
    ({ settings: { access } }) => access.expiresInSeconds < 60,
    'Access tokens live for less than a minute, so clients refresh all the time.',
    'Raise access.expiresIn: a revoked token is refused at once, whatever its lifetime.',
  ],
  [
    'warning',
    ({ settings: { access } }) => access.expiresInSeconds > 3600,
    'Access tokens live for more than an hour: services that only verify them accept them that long after a logout.',
    'Lower access.expiresIn to minutes.',
  ],
  [
    'warning',
    ({ settings: { refresh } }) => refresh.windowSeconds === 0,
    'Each refresh token works once, without exception: a lost response or a second tab logs an honest user out.',
    'Set refresh.window to some seconds, such as 30s.',
  ],
  [
    'warning',
    ({ settings: { refresh } }) => refresh.windowSeconds > 300,
    'A used refresh token is answered for more than five minutes, and a thief is not detected within that time.',
    'Lower refresh.window to a minute or less.',
  ],
  [
    'warning',
    ({ settings: { access, refresh } }) =>
      refresh.windowSeconds > 0 && refresh.windowSeconds >= access.expiresInSeconds,
    'The window of used refresh tokens is as long as the lifetime of an access token, so a client may never get a ' +
    'new refresh token.',
    'Make refresh.window shorter than access.expiresIn.',
  ],
  [
    'warning',
    ({ settings: { refresh } }) => refresh.expiresInSeconds < 3600,
    'A session ends after being idle for less than an hour.',
    'Raise refresh.expiresIn, unless that is what you want.',
  ],
  [
    'warning',
    ({ settings: { leewaySeconds } }) => leewaySeconds > 60,
    'Tokens are accepted for more than a minute after they expire.',
    'Keep the clocks in sync, and lower leeway.',
  ],

  [
    'error',
    ({ settings: { transport, cookies } }) => transport !== 'body' && !cookies.secure,
    'Cookies with tokens are sent without TLS, so everybody on the network path can read them.',
    'Leave cookies.secure true: browsers accept such cookies from http://localhost too.',
  ],
  [
    'warning',
    ({ settings: { transport, cookies } }) => transport !== 'body' && cookies.sameSite === 'none',
    'Cookies are sent with requests from every other site: only the CSRF protection stops those.',
    'Leave cookies.sameSite at lax unless your pages are on another site.',
  ],
  [
    'warning',
    ({ settings: { csrf } }) => csrf.trustedOrigins.some((origin) => origin.startsWith('http:') && !isLocal(origin)),
    'A trusted origin is http: anybody on the network path can serve their own page there.',
    'Serve those pages by https, and put that origin into csrf.trustedOrigins.',
  ],
  [
    'warning',
    ({ settings: { transport, csrf } }) => transport !== 'body' && csrf.trustedOrigins.length === 0,
    'Browsers that send no Sec-Fetch-Site get no cookies: on plain HTTP except localhost, Safari before 16.4, and ' +
    'behind a proxy that strips it.',
    'Put the origin of your own pages into csrf.trustedOrigins, such as https://app.example.com.',
  ],
  [
    'warning',
    ({
      settings: {
        transport,
        csrf: { methods },
      },
    }) => transport !== 'body' && ['POST', 'PUT', 'PATCH', 'DELETE'].some((method) => !proofRule(methods)(method)),
    'A method that changes something needs no CSRF proof on your routes: any other site can send it with the ' +
    'cookies of a visitor.',
    'Leave csrf.methods out: all but GET, HEAD, OPTIONS, TRACE and QUERY need the proof then.',
  ],
  [
    'warning',
    ({ settings: { locations } }) => locations.includes('query'),
    'Tokens are accepted in URLs, which end up in logs and browser histories.',
    "Remove 'query' from locations, and set it only on the route that needs it.",
  ],

  [
    'warning',
    ({ given }) => (given.throttle ?? OptionsSchema.properties.throttle.default) === false,
    'Nothing limits guesses of passwords.',
    'Turn throttle on, or put a rate limit in front of the routes.',
  ],
  [
    'warning',
    ({ settings: { password } }) => password.minLength < 15,
    'Passwords may be shorter than 15 characters, the minimum of NIST SP 800-63B-4 if nothing else protects the ' +
    'account.',
    'Raise password.minLength.',
  ],
  [
    'warning',
    ({
      settings: {
        password: { argon2 },
      },
    }) => argon2.memoryCost * argon2.timeCost < owasp.memoryCost * owasp.timeCost,
    'Passwords are hashed at a lower cost than OWASP recommends.',
    'Leave password.argon2 as it is, or raise it.',
  ],
  [
    'remark',
    ({ given }) => given.password?.pepper === undefined,
    'Passwords are hashed without a pepper: whoever steals the database can try weak ones at once.',
    'Set password.pepper, and store it outside of the database. Decide early, and never lose it.',
  ],

  ...mailRules,

  [
    'error',
    ({ settings: { orm, db, keys } }) => !orm && db === ':memory:' && canSign(keys),
    'Accounts are kept in memory: they are lost with the process, and each process has its own.',
    'Set db to a file or the URL of a server.',
  ],
  [
    'remark',
    ({ settings: { orm, db } }) => !orm && db !== ':memory:' && !db.includes('://'),
    'An SQLite file can only serve processes on one machine.',
    'With several machines, set db to the URL of a PostgreSQL, MariaDB or MySQL database.',
  ],
  [
    'remark',
    () => true,
    'Behind a proxy, addresses in sessions and limits are those of the proxy, unless Fastify trusts it.',
    'Create the app with Fastify({ trustProxy }) if, and only if, it is behind one.',
  ],
]

/** The findings about a configuration that the plugin would take. */
export function findingsOf (subject: Subject): Finding[] {
  return rules
    .filter(([, applies]) => applies(subject))
    .map(([level, , finding, remedy]) => ({ level, finding, remedy }))
}
