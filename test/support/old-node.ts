// A process that says that its Node is older than it is.
Object.defineProperty(process.versions, 'node', { value: '20.20.2' })
await import('./boot.ts')

export {}
