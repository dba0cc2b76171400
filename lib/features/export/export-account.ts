import { Readable } from 'node:stream'
import { Type } from '@sinclair/typebox'
import type { Database } from '../../database/database.ts'
import { fromRow, selectFrom } from '../../database/statement.ts'
import { Event } from '../../events/entity.ts'
import { accessErrors, strongErrors } from '../../guards/answers.ts'
import { TokenStale } from '../../guards/errors.ts'
import { askForLeave } from '../../host/ask.ts'
import { answers, tags } from '../../http/answers.ts'
import { msLeft, withDeadline, withTimeout } from '../../http/deadline.ts'
import { clientOf } from '../../http/request.ts'
import { placeOf } from '../../sessions/stored.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import type { User } from '../../users/entity.ts'
import type { ApiKeys } from '../api-keys/open.ts'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import type { ExportSettings } from './options.ts'

/** How many events are read at once: somebody may have a million. */
const pageSize = 500

export function exportAccount (
  { database, events, guards, ownData, sessions, settings, users: { lookUp, publicUsers } }: Spine,
  apiKeys: ApiKeys | undefined,
  { hooks: { onExport }, events: { store } }: ExportSettings
): AddRoutes {
  const Anything = Type.Unknown()
  const schema = {
    operationId: 'exportAccount',
    summary: 'Export all data of the signed-in user',
    description: 'Requires a password that was checked within 10 minutes: see reauthenticate. Contains no hash and ' +
      'no secret.',
    tags,
    response: answers({
      200: Type.Object({
        user: Anything,
        sessions: Type.Array(Anything),
        ...apiKeys && { keys: Type.Array(Anything) },
        events: Type.Array(Anything),
        app: Anything,
      }, {
        description: 'A file of JSON',
        examples: [{ user: { username: 'ada' }, sessions: [], events: [], app: null }],
      }),
    }, ...accessErrors(), ...strongErrors(settings), TokenStale),
  }

  return (scope, path) => scope.get(path, {
    schema, onRequest: guards.ownGuard({ fresh: true, strong: 'with-factor', consistency: 'strict' }),
  }, async (request, reply) => {
    const { sub: id } = request.auth.claims
    const user = await lookUp.byId(id)
    if (!user) throw new TokenRevoked()
    const shown = publicUsers.of(user)
    const app = onExport ? await withTimeout(msLeft(), askForLeave(() => onExport(structuredClone(shown)))) : null
    const own = await sessions.list(id)
    const keys = await apiKeys?.shownOf(id)
    await events.happen({ type: 'exported', userId: id, client: clientOf(request) })

    const parts = {
      user: { ...shown, ...datesOf(user) },
      sessions: own.map((session) => ({
        id: session.id,
        created_at: session.createdAt,
        last_used_at: session.lastUsedAt,
        ...placeOf(session),
        data: ownData.of(session),
      })),
      ...keys && { keys },
      app: JSON.parse(JSON.stringify(app ?? null)),
    }
    reply.header('content-disposition', 'attachment; filename="account.json"')
    reply.type('application/json; charset=utf-8')
    return reply.send(Readable.from(written(parts, store ? pagesOfEvents(database, id) : [])))
  })
}

function datesOf ({ emailVerifiedAt, createdAt, updatedAt, passwordChangedAt, lastLoginAt }: User) {
  return {
    email_verified_at: emailVerifiedAt,
    created_at: createdAt,
    updated_at: updatedAt,
    password_changed_at: passwordChangedAt,
    last_login_at: lastLoginAt,
  }
}

/** The file in parts, so that no more than a page of events is in memory. */
async function * written (
  { app, ...parts }: Record<string, unknown>, pages: AsyncIterable<object[]> | object[][]
): AsyncGenerator<string> {
  yield `${JSON.stringify(parts).slice(0, -1)},"events":[`
  let isFirst = true
  for await (const page of pages) {
    const text = page.map((event) => JSON.stringify(event)).join(',')
    yield `${isFirst ? '' : ','}${text}`
    isFirst = false
  }
  yield `],"app":${JSON.stringify(app)}}`
}

/** The events of a user, the oldest first: ids grow with time. */
async function * pagesOfEvents (database: Database, userId: string): AsyncGenerator<object[]> {
  let after: string | undefined
  for (;;) {
    const since = after
    const page = await withDeadline(() => database.run(async (em) => {
      const rows = await selectFrom<object>(em, Event).select('*')
        .where({ userId, ...since && { id: { $gt: since } } }).orderBy({ id: 'asc' }).limit(pageSize)
        .execute('all', false)
      return rows.map((row) => fromRow(em, Event, row))
    }))
    if (page.length > 0) {
      yield page.map(({ id, type, sessionId, actorId, reason, ip, userAgent, data, createdAt }) => ({
        id,
        type,
        session_id: sessionId,
        actor_id: actorId,
        reason,
        ip,
        user_agent: userAgent,
        data,
        created_at: createdAt,
      }))
    }
    if (page.length < pageSize) return
    after = page.at(-1)!.id
  }
}
