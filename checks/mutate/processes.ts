import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Answer, Question } from './worker.ts'

/** A process that runs single tests; it is begun when it is asked, and anew after it has died or was ended. */
export function createProcess (copy: string, env: Record<string, string> = {}) {
  let child: ChildProcess | undefined
  let opened = new Set<string>()

  function begin (): ChildProcess {
    opened = new Set()
    return fork(join(import.meta.dirname, 'worker.ts'), {
      cwd: copy,
      execArgv: ['--import', '@tapjs/mock/import'],
      env: {
        ...process.env,
        TAP_TIMEOUT: '0',
        TMPDIR: join(copy, 'temporary'),
        NODE_COMPILE_CACHE: join(copy, 'compiled'),
        ...env,
      },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
  }

  /** Nothing, if it has died of the question or did not answer in time. */
  async function exchange (question: Question, milliseconds: number): Promise<Answer | undefined> {
    const asked = child ??= begin()
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>()
    const timer = setTimeout(resolve, milliseconds)
    // The real tap tells its limits of time by the same way.
    const read = (message: Answer | object) => 'tests' in message && resolve(message)
    const leave = () => resolve(undefined)
    asked.on('message', read).once('exit', leave).send(question, (error) => error && leave())
    const answer = await promise
    clearTimeout(timer)
    asked.off('message', read).off('exit', leave)
    if (!answer) await end()
    return answer
  }

  async function end (): Promise<void> {
    const ended = child
    child = undefined
    if (!ended || ended.exitCode !== null || ended.signalCode !== null) return
    ended.kill('SIGKILL')
    await once(ended, 'exit')
  }

  return {
    end,
    /** The tests of a file. */
    open: (file: string) => exchange({ file: join(copy, file) }, 60_000),
    /** Runs one of them. */
    async ask (question: Question & { test: number }, milliseconds: number): Promise<Answer | undefined> {
      const file = join(copy, question.file)
      if (!child || !opened.has(file)) {
        if (!await exchange({ file }, 60_000)) return
        opened.add(file)
      }
      return exchange({ ...question, file }, milliseconds)
    },
  }
}
