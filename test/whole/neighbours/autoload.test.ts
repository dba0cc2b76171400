import autoload from '@fastify/autoload'
import { join } from 'node:path'
import t from 'tap'
import { inject, open, same, tour, usualTour } from './tour.ts'

const folder = (name: string) => join(import.meta.dirname, 'autoload', name)

const ways: Record<string, { folders: string[], path?: string }> = {
  'as a plugin of the host, for the whole app': { folders: ['plugins', 'routes'] },
  'as the package itself, with its options beside it': { folders: ['library', 'routes'] },
  'in a folder of its own, for that scope alone': { folders: ['encapsulated'], path: '/api' },
}

for (const [way, { folders, path }] of Object.entries(ways)) {
  t.test(`@fastify/autoload finds accounts and guarded routes: ${way}`, async (t) => {
    const app = open(t)
    for (const name of folders) await app.register(autoload, { dir: folder(name) })
    await app.ready()
    same(t, await tour(inject(app, path)), await usualTour(t))
    t.equal(app.hasDecorator('authenticate'), path === undefined, 'the guards are where the accounts are')
    if (path) t.equal((await app.inject('/auth/me')).statusCode, 404)
  })
}

t.test('@fastify/autoload without an await between its folders leaves no route open', async (t) => {
  const app = open(t)
  for (const name of ['plugins', 'routes']) app.register(autoload, { dir: folder(name) })
  await app.ready()
  same(t, await tour(inject(app)), await usualTour(t))
})

t.test('@fastify/autoload with the routes before the accounts does not start', async (t) => {
  const app = open(t)
  await t.rejects(async () => {
    for (const name of ['routes', 'plugins']) await app.register(autoload, { dir: folder(name) })
    await app.ready()
  }, { message: /undefined/i })
})
