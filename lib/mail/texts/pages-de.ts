import type { PagesWords } from '../page-words.ts'

/** German. */
export const pagesDe: PagesWords = {
  language: 'de',
  each: {
    reset: {
      title: 'Ein anderes Passwort wählen',
      what: 'Damit enden alle Sitzungen Ihres Kontos bei {app}.',
      action: 'Passwort ändern',
      done: 'Ihr Passwort ist geändert, und alle Sitzungen sind beendet. Melden Sie sich mit dem neuen an.',
    },
  },
  code: 'Code aus der Mail',
  codeHint: 'In dem Browser, in dem Sie die Mail verlangt haben. In jedem anderen fügen Sie den ganzen Link ein.',
  password: 'Neues Passwort',
  passwordHint: 'Mindestens {min} Zeichen.',
  goOn: 'Weiter zu {app}',
  invalid: 'Dieser Link oder Code gilt nicht mehr, oder er ist vertippt. Verlangen Sie eine neue Mail, wo ' +
    'Sie begonnen haben.',
  elsewhere: 'Ein Code gilt in dem Browser, in dem Sie die Mail verlangt haben. Hier fügen Sie den ganzen Link der ' +
    'Mail ein.',
  rejected: () => 'Dieses Passwort geht nicht: Es ist zu kurz, zu lang oder zu leicht zu erraten. Nehmen Sie ein ' +
    'anderes.',
  later: 'Das waren zu viele Versuche. Warten Sie eine Weile, und versuchen Sie es dann noch einmal.',
}
