/**
 * What an app adds to the types of ours, for all of its accounts:
 *
 *     declare module 'fastify-jwt-accounts' {
 *       interface AccountsTypes {
 *         user: { displayName: string }
 *         claims: { tenant: string }
 *         session: { tenant: string }
 *       }
 *     }
 *
 * `user` has the fields of `request.user`, `hidden` those that `user.public` leaves out: code gives both to users.
 * `claims` is what the option `claims` adds to access tokens, and `session` what `sessions.data` keeps of a session.
 */
export interface AccountsTypes {}
