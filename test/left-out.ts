/** Tests that a database cannot be asked, by name, each with the databases that leave it out and why. */
export const leftOut: Record<string, [on: ('sqlite' | 'postgresql' | 'mariadb')[], reason: string]> = {
  "nothing of ours joins a transaction of the app's unasked": [['sqlite'], 'an open transaction of the app has its one connection'],
  "a transaction of the app's ends also the sessions that began after it had looked": [['sqlite'], 'an open transaction of the app has its one connection'],
  'what decides is never read from a replica': [['sqlite'], 'a file has none'],
  'a refresh that loses every race gives up, and says that it was not the client': [['mariadb'], 'its triggers cannot lose a row'],
}
