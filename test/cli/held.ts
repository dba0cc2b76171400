import { PassThrough, Writable } from 'node:stream'

/** What a command prints, kept. */
function sink () {
  let written = ''
  const stream = new Writable({
    write (chunk, _encoding, done) {
      written += chunk
      stream.emit('written')
      done()
    },
  })
  return Object.assign(stream, { text: () => written })
}

/** Streams in place of a process's own; `isTTY` makes a terminal of what is typed. */
export function held (isTTY = false) {
  return { stdin: Object.assign(new PassThrough(), { isTTY, setRawMode: () => {} }), stdout: sink(), stderr: sink() }
}
