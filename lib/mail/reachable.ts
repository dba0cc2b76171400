import type { User } from '../users/entity.ts'

/** Whether mails may go to a user: they have an address, and it has taken mails so far. */
export function isReachable ({ email, mailFailedAt }: Pick<User, 'email' | 'mailFailedAt'>): boolean {
  return email !== null && mailFailedAt === null
}
