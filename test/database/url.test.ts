import t from 'tap'
import { dialectOf, nameOf, readUrl } from '../../lib/database/url.ts'

t.test('what a database is named by tells what speaks it', async (t) => {
  const told: [db: string, dialect: string | undefined][] = [
    [':memory:', 'sqlite'],
    ['accounts.sqlite', 'sqlite'],
    ['/var/lib/accounts', 'sqlite'],
    ['C:\\accounts.sqlite', 'sqlite'],
    ['../a b%.sqlite', 'sqlite'],
    ['postgresql://ada@localhost/app', 'postgresql'],
    ['postgres:///app', 'postgresql'],
    ['POSTGRES://localhost/app?sslmode=require', 'postgresql'],
    ['mysql://[::1]:3307/app', 'mysql'],
    ['mariadb://ada:p%40ss@localhost/app?connection_limit=9999', 'mariadb'],
    ['sqlite://accounts.sqlite', undefined],
    ['file:accounts.sqlite', undefined],
    ['postgresql:app', undefined],
    ['mysql://localhost', undefined],
    ['mariadb://localhost/', undefined],
    ['mysql://localhost/app?connection_limit=0', undefined],
    ['mysql://ada:%@localhost/app', undefined],
    ['a\0b', undefined],
  ]
  for (const [db, dialect] of told) t.equal(dialectOf(db), dialect, db)
})

t.test('the size of the pool is no business of the driver', async (t) => {
  const { url, connections } = readUrl('postgresql://ada:p%40ss@localhost/app?connection_limit=20&sslmode=require')
  t.equal(url.href, 'postgresql://ada:p%40ss@localhost/app?sslmode=require')
  t.equal(connections, 20)
  t.equal(readUrl('mariadb://localhost/app').connections, 10)
})

t.test('an error names a database without who asks, and how', async (t) => {
  t.equal(
    nameOf('postgresql://ada:p%40ss@db.example.com:5433/app?password=hidden'),
    'postgresql://db.example.com:5433/app'
  )
  t.equal(nameOf('./accounts.sqlite'), './accounts.sqlite')
})
