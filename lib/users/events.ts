/** What is counted of users. */
export const userCounters = {
  /** Users that guards knew from memory. */
  usersRemembered: 0,
  /** Users who were read. */
  usersRead: 0,
}

export type UserCounters = typeof userCounters
