import type { Test } from 'tap'
import { build, client, decode, password } from '../../support/build.ts'
import { answers, said } from './answers.ts'
import { newName, type Apps } from './apps.ts'

/** What more than one of the libraries has under a name of its own. */
export function sharedExamples ({ usual, custom, ada, inGerman }: Apps) {
  async function movesRoutes (t: Test) {
    const { app } = await build(t, { prefix: '/api', routes: { login: '/sign-in', register: '/sign-up' } })
    const tokens = await client(app).post('/api/sign-up', { username: 'ada', password, email: 'ada@example.com' })
    t.equal(tokens.statusCode, 201)
    for (const username of ['ada', 'ada@example.com']) { await answers(t, client(app).post('/api/sign-in', { username, password }), 200) }
  }

  async function hasMessages (t: Test) {
    const { send } = await inGerman()
    await answers(t, send('garbage'), 401, said('ACCOUNTS_TOKEN_INVALID'))
  }

  async function rotates (t: Test) {
    const { refresh_token: token } = await usual.signUp(newName())
    const next = (await usual.refresh(token)).json().refresh_token
    t.not(next, token)
    const sibling = (await usual.refresh(token)).json().refresh_token
    t.equal(decode(sibling).payload.gen, decode(next).payload.gen)
    t.not(sibling, next)
  }

  async function checks (t: Test) {
    const { access_token: eve } = await usual.signUp(newName())
    await answers(t, usual.post('/checked', undefined, ada.access_token), 200)
    await answers(t, usual.post('/checked', undefined, eve), 403, { code: 'ACCOUNTS_FORBIDDEN' })
  }

  async function hasMinLength (t: Test) {
    const short = { username: newName(), password: 'k7#pQ2vX' }
    await answers(t, custom.post('/auth/register', { ...short, nickname: 'N' }), 201)
    await answers(t, usual.post('/auth/register', short), 400, { code: 'ACCOUNTS_PASSWORD_REJECTED', message: /15/ })
  }

  async function showsFields (t: Test) {
    const { tokens: { access_token: token } } = await inGerman()
    t.equal(
      (await custom.app.inject({ url: '/auth/me', headers: { 'x-access-token': `JWT ${token}` } })).json().nickname,
      'N'
    )
  }

  return { movesRoutes, hasMessages, rotates, checks, hasMinLength, showsFields }
}
