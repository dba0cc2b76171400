/** What the settings say of limits on guessing. */
export interface ThrottleSettings {
  /** How many failures are free until each further one has to wait; false where the app has limits of its own. */
  throttle: false | {
    /** At one account, from one network. */
    accountNetwork: number
    /** From one network, registrations included. */
    network: number
    /** At one account, from everywhere. */
    account: number
  }
}
