import type { OrmOption } from './borrow.ts'

/** Where the accounts are, and who makes their tables. */
export interface DatabaseSettings {
  /** SQLite file, `':memory:'`, or a URL. Not looked at where there is an `orm`. */
  db: string
  /** The name of the accounts, and so of their tables. */
  name: string
  /** A MikroORM of the app's own, or a function that gives one. */
  orm?: OrmOption
  /** `'none'`: somebody else makes the tables. Default `'migrate'`. */
  schema?: 'migrate' | 'none'
}

/** What the settings say of when old rows are deleted. */
export interface PruneSettings {
  prune: {
    /** How often; 0: only when the app asks for it. */
    intervalSeconds: number
  }
  events: {
    /** For how long they are kept. */
    keepForSeconds: number
  }
  access: {
    /** Life of an access token. */
    expiresInSeconds: number
  }
  /** How much clocks may differ when the expiry of an access token is looked at. */
  leewaySeconds: number
}
