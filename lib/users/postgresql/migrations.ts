import type { MigrationObject } from '@mikro-orm/core'
import { Migration } from '@mikro-orm/migrations'

/** Frozen: what is released is never changed, only followed by another. */
export function migrationsOf (name: string): MigrationObject[] {
  /** Whether an account is a person's or a program's. */
  class ServiceAccounts extends Migration {
    override up () {
      this.addSql(`alter table ${name}_users add column kind varchar(8) not null default 'person'`)
    }

    override down () {
      this.addSql(`alter table ${name}_users drop column kind`)
    }
  }

  return [{ name: '0020-service-accounts', class: ServiceAccounts }]
}
