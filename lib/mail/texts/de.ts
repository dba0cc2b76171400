import type { MailWords } from '../texts.ts'
import { pagesDe } from './pages-de.ts'

const notYou = 'Wenn Sie das nicht waren, können Sie diese Mail vergessen: Ohne sie geschieht nichts.'
const takeBack = 'Wenn Sie das nicht waren, kennt jemand Ihr Passwort. Wählen Sie ein anderes: „Passwort vergessen?“ ' +
  'auf der Seite, auf der Sie sich anmelden.'

/** German. */
export const de: MailWords = {
  kinds: {
    verify: {
      subject: 'Bestätigen Sie Ihre Adresse für {app}',
      what: ['Jemand, vermutlich Sie, hat diese Adresse für ein Konto bei {app} angegeben.',
        'Bestätigen Sie, dass sie Ihnen gehört. Der Link gilt {link-life}.'],
      action: 'Adresse bestätigen',
      end: ['Wenn Sie das nicht waren, hat sich jemand vertippt oder will Ihre Adresse benutzen:'],
      disown: 'Das ist nicht mein Konto',
    },
    reset: {
      subject: 'Ein anderes Passwort für {app}',
      what: ['Jemand, vermutlich Sie, möchte ein anderes Passwort für Ihr Konto bei {app}.',
        'Der Link gilt {link-life}, und nur einmal.'],
      action: 'Passwort wählen',
      end: [notYou],
    },
    change: {
      subject: 'Bestätigen Sie Ihre neue Adresse für {app}',
      what: ['Diese Adresse soll die eines Kontos bei {app} werden.', 'Der Link gilt {link-life}, und nur einmal.'],
      action: 'Adresse bestätigen',
      end: [notYou],
    },
    'change-from': {
      subject: 'Bestätigen Sie, dass Ihr Konto bei {app} eine andere Adresse bekommt',
      what: ['Jemand, der bei {app} mit Ihrem Konto angemeldet ist, vermutlich Sie, möchte eine andere Adresse dafür.',
        'Bestätigen Sie das, und eine Mail geht an jene Adresse. Der Link gilt {link-life}, und nur einmal.'],
      action: 'Adresse ändern',
      end: [takeBack],
    },
    login: {
      subject: 'Anmeldung bei {app}',
      what: ['Jemand, vermutlich Sie, möchte sich bei {app} anmelden.',
        'Der Link gilt {link-life}, nur einmal, und nur in dem Browser, in dem Sie begonnen haben.'],
      action: 'Anmelden',
      end: ['Wenn Sie das nicht waren, vergessen Sie diese Mail, und geben Sie den Code niemandem.'],
    },
    register: {
      subject: 'Ihre Registrierung bei {app}',
      what: ['Jemand, vermutlich Sie, eröffnet mit dieser Adresse ein Konto bei {app}.', 'Der Link gilt {link-life}.'],
      action: 'Konto eröffnen',
      end: [notYou],
    },
    invite: {
      subject: 'Eine Einladung zu {app}',
      what: ['Sie sind zu {app} eingeladen.', 'Die Einladung gilt {link-life}.'],
      action: 'Einladung annehmen',
      end: ['Wenn Sie davon nichts wissen, vergessen Sie diese Mail.'],
      disown: 'Das war nicht für mich',
    },
    'address-taken': {
      subject: 'Diese Adresse hat ein Konto bei {app}',
      what: ['Jemand, der bei {app} angemeldet ist, wollte diese Adresse zu seiner machen.',
        'Sie gehört schon zu einem Konto, also wurde nichts geändert.'],
      end: ['Wenn Sie das waren, melden Sie sich mit dieser Adresse an.'],
    },
    'register-taken': {
      subject: 'Sie haben ein Konto bei {app}',
      what: ['Jemand, vermutlich Sie, wollte sich bei {app} mit dieser Adresse registrieren.',
        'Zu ihr gibt es schon ein Konto: Melden Sie sich an, oder wählen Sie ein anderes Passwort, falls Sie Ihres ' +
        'vergessen haben.'],
      end: [notYou],
    },
    unknown: {
      subject: 'Sie haben kein Konto bei {app}',
      what: ['Jemand, vermutlich Sie, wollte eine Mail von {app} an diese Adresse.',
        'Zu ihr gibt es kein Konto: Vielleicht haben Sie eine andere Adresse benutzt.'],
      end: [notYou],
    },
    'password-changed': {
      subject: 'Ihr Passwort für {app} wurde geändert',
      what: ['Ihr Konto bei {app} hat jetzt ein anderes Passwort.'],
      end: [takeBack],
    },
    'email-changed': {
      subject: 'Die Adresse Ihres Kontos bei {app} wurde geändert',
      what: ['Ihr Konto bei {app} hat jetzt eine andere Adresse. Dies ist die letzte Mail an diese hier.',
        'Wenn Sie das nicht waren, holen Sie sich das Konto zurück. Der Link gilt {link-life}.'],
      action: 'Konto zurückholen',
      end: ['Wenn Sie das waren, ist nichts zu tun.'],
    },
    'new-device': {
      subject: 'Eine neue Anmeldung bei {app}',
      what: ['Jemand hat sich bei Ihrem Konto bei {app} angemeldet, von wo Sie noch nicht waren.'],
      end: [takeBack],
    },
    'login-by-mail': {
      subject: 'Eine Anmeldung bei {app} per Mail',
      what: ['Jemand hat sich mit einer Mail an diese Adresse bei Ihrem Konto bei {app} angemeldet.'],
      end: ['Wenn Sie das nicht waren, liest jemand Ihre Mails: Ändern Sie zuerst das Passwort Ihres Postfachs.'],
    },
    reuse: {
      subject: 'Eine Ihrer Sitzungen bei {app} wurde beendet',
      what: ['Etwas, das nur einer Ihrer Browser haben sollte, wurde von zwei Orten aus benutzt. Vielleicht hat es ' +
        'jemand gestohlen; darum hat {app} diese Sitzung beendet.'],
      end: ['Melden Sie sich neu an. Wenn es wieder geschieht, suchen Sie auf Ihren Geräten nach Schadprogrammen.'],
    },
    closing: {
      subject: 'Ihr Konto bei {app} wird gelöscht',
      what: ['Ihr Konto bei {app} wird am {closes} gelöscht. Bis dahin können Sie es behalten.'],
      action: 'Konto behalten',
      end: ['Wenn es gelöscht werden soll, ist nichts zu tun.'],
    },
    closed: {
      subject: 'Ihr Konto bei {app} ist gelöscht',
      what: ['Ihr Konto bei {app} ist gelöscht.'],
      end: ['Wenn Sie das nicht waren, schreiben Sie denen, die {app} betreiben.'],
    },
    'roles-raised': {
      subject: 'Sie haben mehr Rechte bei {app}',
      what: ['Ein Admin hat Ihrem Konto bei {app} mehr Rechte gegeben.'],
      end: ['Wenn Sie das nicht erwartet haben, schreiben Sie denen, die {app} betreiben.'],
    },
    'factors-changed': {
      subject: 'Ihre Anmeldung bei {app} wurde geändert',
      what: ['Was Ihr Konto bei {app} neben dem Passwort verlangt, wurde geändert: Eine Authenticator-App, ein ' +
        'Passkey oder Wiederherstellungscodes wurden eingerichtet, ersetzt oder entfernt.'],
      end: [takeBack],
    },
    'key-created': {
      subject: 'Ein neuer API-Schlüssel für {app}',
      what: ['Für Ihr Konto bei {app} wurde ein API-Schlüssel erstellt. Ein Programm, das ihn hat, handelt für Sie.'],
      end: ['Wenn Sie das nicht waren, beenden Sie diesen Schlüssel, ändern Sie Ihr Passwort, und beenden Sie alle ' +
        'anderen Schlüssel und Sitzungen, die Sie nicht kennen.'],
    },
    impersonated: {
      subject: 'Jemand von {app} sieht Ihr Konto an',
      what: ['Jemand, der {app} betreibt, sieht und benutzt es eine Zeit lang so wie Sie, um Ihnen zu helfen oder ' +
        'etwas zu klären.',
      'Ihr Passwort ist dabei nicht bekannt, und weder das noch Ihre Adresse lässt sich so ändern.'],
      end: ['Sie sehen es in der Liste Ihrer Sitzungen und können es dort beenden. Wenn Sie das nicht erwartet ' +
        'haben, schreiben Sie denen, die {app} betreiben.'],
    },
    'identity-linked': {
      subject: 'Es gibt einen weiteren Weg, sich bei {app} anzumelden',
      what: ['Bei Ihrem Konto von {app} kann man sich von jetzt an auch mit einem Konto bei einem anderen Anbieter ' +
        'anmelden.'],
      end: ['Wenn Sie das nicht waren, melden Sie sich an, entfernen Sie diesen Weg und wählen Sie ein anderes ' +
        'Passwort.'],
    },
  },
  code: 'Oder tippen Sie diesen Code dort, wo Sie begonnen haben. Er gilt {code-life}:',
  message: 'Wer Sie einlädt, schreibt:',
  when: 'Wann',
  from: 'Von',
  unknownPlace: 'einem Server',
  with: 'mit',
  minutes: (count) => count === 1 ? 'eine Minute' : `${count} Minuten`,
  hours: (count) => count === 1 ? 'eine Stunde' : `${count} Stunden`,
  days: (count) => count === 1 ? 'einen Tag' : `${count} Tage`,
  pages: pagesDe,
}
