import { defineCommand } from './command.ts'
import { optionsOf, settingsOf, targetFlags } from './target.ts'

export const migrate = defineCommand({
  name: 'migrate',
  summary: 'Runs the missing migrations, and lists them. Creates a missing SQLite file.',
  flags: targetFlags,
  async run (_, target) {
    const { settings } = await settingsOf(await optionsOf(target))
    const { openDatabase, pendingOf, tables } = await import('./plugin.ts')

    const ran = await pendingOf(settings)
    const database = await openDatabase({ ...settings, schema: 'migrate' }, tables)
    await database.close()
    return {
      result: { ran },
      text: ran.length > 0 ? `Ran ${ran.join(', ')}.` : 'Nothing to run: the tables are up to date.',
    }
  },
})
