import { MariaDbDriver } from '@mikro-orm/mariadb'
import { createMysqlDialect } from './mysql-server.ts'

export const dialect = createMysqlDialect(MariaDbDriver)
