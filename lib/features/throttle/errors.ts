import { postponed } from '../../http/refusal.ts'

export const Throttled = postponed('ACCOUNTS_THROTTLED', 'There were too many attempts: try again in %s', 429)
