import { testOf } from './together.ts'

export * from 'tap'
export default testOf(import.meta.url)
