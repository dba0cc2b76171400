import { testOf } from './together.ts'

export * from 'tap'
const own = testOf(import.meta.url)
export default own
export const test = own.test.bind(own)
