/**
 * For the environment of a process: its clock goes on by so many minutes whenever it is told to by SIGUSR2, and it
 * prints that it does.
 */
export function clockAhead (minutes: number): NodeJS.ProcessEnv {
  const script = `const { now } = Date
    let ahead = 0
    Date.now = () => now() + ahead
    globalThis.Date = class extends Date {
      constructor (...given) { super(...given.length ? given : [Date.now()]) }
    }
    process.on('SIGUSR2', () => {
      ahead += ${minutes * 60_000}
      console.log('ahead')
    })`
  return { NODE_OPTIONS: `--import="data:text/javascript,${encodeURIComponent(script)}"` }
}
