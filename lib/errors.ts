// Every error of the plugin: code, status and sentence, thrown as { statusCode, code, error, message }. The sentences
// are fixed text: nothing of a request stands in them, but the name of a field in ACCOUNTS_INPUT_INVALID and
// ACCOUNTS_USER_EXISTS; and how long to wait.
export * from './http/errors.ts'
export * from './database/errors.ts'
export * from './tokens/errors.ts'
export * from './users/errors.ts'
export * from './sessions/errors.ts'
export * from './one-time/errors.ts'
export * from './transport/errors.ts'
export * from './guards/errors.ts'
export * from './sign-in/errors.ts'
export * from './features/throttle/errors.ts'
export * from './features/passwords/errors.ts'
export * from './features/users/errors.ts'
export * from './features/closing/errors.ts'
export * from './features/email/errors.ts'
export * from './features/factors/errors.ts'
export * from './features/token-services/errors.ts'
