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
    verify: {
      title: 'Ihre Adresse bestätigen',
      what: 'Bestätigen Sie, dass diese Adresse Ihnen gehört, und dass sie die Ihres Kontos bei {app} ist.',
      action: 'Adresse bestätigen',
      done: 'Ihre Adresse ist bestätigt.',
    },
    disown: {
      title: 'Das war nicht für mich',
      what: 'Jemand hat Ihre Adresse für ein Konto bei {app} angegeben, oder hat Sie eingeladen. Sie wird von diesem ' +
        'Konto genommen, und wer dort angemeldet ist, wird abgemeldet; eine Einladung gilt nicht mehr.',
      action: 'Meine Adresse entfernen',
      done: 'Das ist erledigt: Das Konto hat Ihre Adresse nicht mehr, oder die Einladung gilt nicht mehr.',
    },
    change: {
      title: 'Ihre neue Adresse bestätigen',
      what: 'Bestätigen Sie, dass Ihr Konto bei {app} eine andere Adresse haben soll.',
      action: 'Bestätigen',
      done: 'Ihr Konto hat eine andere Adresse.',
    },
    revert: {
      title: 'Ihr Konto zurückholen',
      what: 'Ihr Konto bei {app} bekommt die Adresse von vorher zurück. Alle Sitzungen enden, und Sie wählen ein ' +
        'anderes Passwort.',
      action: 'Zurückholen',
      done: 'Die Adresse ist wie vorher, und alle Sitzungen sind beendet. Eine Mail ist unterwegs, mit der Sie ein ' +
        'anderes Passwort wählen.',
    },
    restore: {
      title: 'Das Konto behalten',
      what: 'Ihr Konto bei {app} soll gelöscht werden. Drücken Sie den Knopf, um es zu behalten.',
      action: 'Mein Konto behalten',
      done: 'Ihr Konto bleibt. Sie können sich wieder anmelden.',
    },
  },
  fields: {
    code: {
      label: 'Code aus der Mail',
      hint: 'In dem Browser, in dem Sie die Mail verlangt haben. In jedem anderen fügen Sie den ganzen Link ein.',
    },
    link: { label: 'Link aus der Mail', hint: 'Kopieren Sie ihn aus der Mail, und fügen Sie ihn hier ein.' },
    codeBeside: { label: 'Code aus der Mail', hint: 'Er steht unter dem Knopf, und gilt hier so lange wie der Link.' },
    address: { label: 'Ihre E-Mail-Adresse', hint: 'Die, an die die Mail ging.' },
    password: { label: 'Neues Passwort', hint: 'Mindestens {min} Zeichen.' },
  },
  missing: {
    code: 'Dies ist nicht der Browser, in dem Sie begonnen haben. Tippen Sie den Code aus der Mail, damit sicher ' +
      'ist, dass Sie es sind.',
    address: 'An diese Adresse ging die Mail nicht.',
  },
  goesOn: 'Eine weitere Mail ist unterwegs an die neue Adresse. Dort geht es weiter.',
  taken: 'Jemand anders hat diese Adresse.',
  goOn: 'Weiter zu {app}',
  invalid: 'Dieser Link oder Code gilt nicht mehr, oder er ist vertippt. Verlangen Sie eine neue Mail, wo Sie ' +
    'begonnen haben.',
  elsewhere: 'Ein Code gilt in dem Browser, in dem Sie die Mail verlangt haben. Hier fügen Sie den ganzen Link ein.',
  rejected: () => 'Dieses Passwort geht nicht: Es ist zu kurz, zu lang oder zu leicht zu erraten. Nehmen Sie ein ' +
    'anderes.',
  later: 'Das waren zu viele Versuche. Warten Sie eine Weile, und versuchen Sie es dann noch einmal.',
}
