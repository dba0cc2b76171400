import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import passport from 'passport'
import { ExtractJwt, Strategy } from 'passport-jwt'
import { usersWithTokens, type Claims } from './tokens.ts'
import { guardedPath, offer, secret } from './offer.ts'

/** Express with passport-jwt, the combination that tutorials have. */
passport.use(
  new Strategy(
    { jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), secretOrKey: secret, algorithms: ['HS256'] },
    (claims: Claims, done) => done(null, claims)
  )
)
const app = express()
app.get(guardedPath, passport.authenticate('jwt', { session: false }), ({ user }, response) => {
  response.json({ id: (user as Claims).sub })
})

const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
offer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, usersWithTokens())
