/** Tests that a database cannot be asked, by name, each with the databases that leave it out and why. */
export const leftOut: Record<string, [on: ('postgresql' | 'mariadb')[], reason: string]> = {
  'a refresh that loses every race gives up, and says that it was not the client': [['mariadb'], 'its triggers cannot lose a row'],
}
