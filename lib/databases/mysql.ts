import { MySqlDriver } from '@mikro-orm/mysql'
import { createMysqlDialect } from './mysql-server.ts'

export const dialect = createMysqlDialect(MySqlDriver)
