type Kind = 'sqlite' | 'postgresql' | 'mariadb'

const servers: Kind[] = ['postgresql', 'mariadb']

/** Tests that a database cannot be asked, by name, each with the databases that leave it out, and why. */
export const leftOut: Record<string, [on: Kind[], reason: string]> = {
  'the tables of a file are made by frozen migrations, and the entities ask for nothing else': [
    servers,
    'test/database/ asks it of servers',
  ],
  'a file that is made is for nobody else on this machine, and one that is there stays as it is': [
    servers,
    'about files',
  ],
  'readers go on beside a writer, foreign keys hold, and a commit survives a power cut': [
    servers,
    'settings of SQLite',
  ],
  'four processes may boot at once on an empty file': [servers, 'test/database/ asks it of servers'],
  'a file that cannot be opened or is no database keeps the app from starting': [servers, 'about files'],
  'on a Node that the driver would crash, the error says which Node is needed': [servers, 'the driver of SQLite would'],
  'a file that another process locks for a moment makes requests wait, and nobody else': [
    servers,
    'a lock on a whole file',
  ],
  'who waits for ten seconds, for a locked file or a connection, is told that it cannot be': [
    servers,
    'test/database/ asks it of servers',
  ],
  'a commit that fails and rolls back by itself, as on a full disk, leaves the next one free': [
    servers,
    'only SQLite rolls back so',
  ],
  'values that only a hand in the database can write let nobody in, and are no 500': [
    servers,
    'they take no such values',
  ],
  'statements that the app prepares on the connection of the accounts stay its own': [
    servers,
    'only those of SQLite are kept',
  ],
  'tables that a MikroORM of the app has made before us are told, with both ways out': [
    ['mariadb'],
    'our migrations take them for their own there',
  ],
  'values travel beside their statements, and no more statements are kept prepared than are made once': [
    ['sqlite'],
    'nothing travels to a file',
  ],
  'an app that is closed has closed its file': [servers, 'test/database/ asks it of servers'],
  'what decides is never read from a replica': [['sqlite'], 'a file has none'],
  "a transaction of the app's ends also the sessions that began after it had looked": [
    ['sqlite'],
    'an open transaction of the app has its one connection',
  ],
  "a transaction of the app's that began before a name was taken is told of it too": [
    ['sqlite'],
    'an open transaction of the app has its one connection',
  ],
  "nothing of ours joins a transaction of the app's unasked": [
    ['sqlite'],
    'an open transaction of the app has its one connection',
  ],
  'a refresh that loses every race gives up, and says that it was not the client': [
    ['mariadb'],
    'its triggers cannot lose a row',
  ],
}
