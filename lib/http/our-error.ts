import { isError } from '../checks/any-error.ts'

interface OurError extends Error {
  code: string
  statusCode?: number
  headers?: Record<string, string>
}

/** True for an error of `errors.ts`. Compared by code, since an app may hold a second copy of the plugin. */
export function isOurs (error: unknown): error is OurError {
  return isError(error) && 'code' in error && String(error.code).startsWith('ACCOUNTS_')
}
