import type { MailWords } from '../texts.ts'
import { pagesEn } from './pages-en.ts'

const notYou = 'If it was not you, you can ignore this mail: nothing happens without it.'
const takeBack = 'If it was not you, somebody knows your password. Choose another one: “Forgot your password?” on ' +
  'the page where you sign in.'

/** English. */
export const en: MailWords = {
  kinds: {
    verify: {
      subject: 'Confirm your address for {app}',
      what: ['Somebody, most likely you, gave this address for an account of {app}.',
        'Confirm that it is yours. The link is good for {link-life}.'],
      action: 'Confirm the address',
      end: ['If it was not you, somebody mistyped their address, or wants to use yours:'],
      disown: 'This is not my account',
    },
    reset: {
      subject: 'Choose another password for {app}',
      what: ['Somebody, most likely you, asked for another password for your account of {app}.',
        'The link is good for {link-life}, and works once.'],
      action: 'Choose a password',
      end: [notYou],
    },
    change: {
      subject: 'Confirm your new address for {app}',
      what: ['This address is to be that of an account of {app}.', 'The link is good for {link-life}, and works once.'],
      action: 'Confirm the address',
      end: [notYou],
    },
    'change-from': {
      subject: 'Confirm that your account of {app} gets another address',
      what: ['Somebody who is signed in to your account of {app}, most likely you, wants another address for it.',
        'Confirm it, and a mail goes to that address. The link is good for {link-life}, and works once.'],
      action: 'Change the address',
      end: [takeBack],
    },
    login: {
      subject: 'Sign in to {app}',
      what: ['Somebody, most likely you, wants to sign in to {app}.',
        'The link is good for {link-life}, works once, and only in the browser that asked.'],
      action: 'Sign in',
      end: ['If it was not you, ignore this mail, and give the code to nobody.'],
    },
    register: {
      subject: 'Finish your registration at {app}',
      what: ['Somebody, most likely you, is opening an account of {app} with this address.',
        'The link is good for {link-life}.'],
      action: 'Open the account',
      end: [notYou],
    },
    invite: {
      subject: 'An invitation to {app}',
      what: ['You are invited to {app}.', 'The invitation is good for {link-life}.'],
      action: 'Accept the invitation',
      end: ['If you know nothing of it, ignore this mail.'],
      disown: 'This was not for me',
    },
    'address-taken': {
      subject: 'This address has an account of {app}',
      what: ['Somebody who is signed in to {app} wanted to make this address theirs.',
        'It is that of an account already, so nothing was changed.'],
      end: ['If it was you, sign in with this address.'],
    },
    'register-taken': {
      subject: 'You have an account of {app}',
      what: ['Somebody, most likely you, wanted to register at {app} with this address.',
        'It has an account already: sign in, or choose another password if you have forgotten yours.'],
      end: [notYou],
    },
    unknown: {
      subject: 'You have no account of {app}',
      what: ['Somebody, most likely you, asked for a mail of {app} to this address.',
        'There is no account with it: perhaps you used another address.'],
      end: [notYou],
    },
    'password-changed': {
      subject: 'Your password for {app} was changed',
      what: ['The password of your account of {app} is another one now.'],
      end: [takeBack],
    },
    'email-changed': {
      subject: 'The address of your account of {app} was changed',
      what: ['Your account of {app} has another address now. This is the last mail to this one.',
        'If it was not you, take the account back. The link is good for {link-life}.'],
      action: 'Take the account back',
      end: ['If it was you, there is nothing to do.'],
    },
    'new-device': {
      subject: 'A new sign-in to {app}',
      what: ['Somebody signed in to your account of {app}, from where you had not been before.'],
      end: [takeBack],
    },
    'login-by-mail': {
      subject: 'A sign-in to {app} by mail',
      what: ['Somebody signed in to your account of {app} by a mail to this address.'],
      end: ['If it was not you, somebody reads your mail: change the password of your mailbox first.'],
    },
    reuse: {
      subject: 'A session of yours at {app} was ended',
      what: ['Something that only one browser of yours should have was used from two places. Somebody may have ' +
        'stolen it, so {app} has ended that session.'],
      end: ['Sign in again. If it happens once more, look for malware on your devices.'],
    },
    closing: {
      subject: 'Your account of {app} is going to be deleted',
      what: ['Your account of {app} is deleted at {closes}. Until then you can keep it.'],
      action: 'Keep the account',
      end: ['If you want it to be deleted, there is nothing to do.'],
    },
    closed: {
      subject: 'Your account of {app} is deleted',
      what: ['Your account of {app} is deleted.'],
      end: ['If it was not you, write to those who run {app}.'],
    },
    'roles-raised': {
      subject: 'You have more rights at {app}',
      what: ['An admin has given your account of {app} more rights.'],
      end: ['If you did not expect that, write to those who run {app}.'],
    },
    'factors-changed': {
      subject: 'The way to sign in to {app} was changed',
      what: ['What your account of {app} asks for beside the password was changed: an authenticator app, a passkey ' +
        'or recovery codes were set up, replaced or taken away.'],
      end: [takeBack],
    },
    'key-created': {
      subject: 'A new API key for {app}',
      what: ['An API key was made for your account of {app}. A program that has it acts for you.'],
      end: ['If it was not you, end that key, change your password, and end all other keys and sessions that you do ' +
        'not know.'],
    },
    impersonated: {
      subject: 'Somebody of {app} looks into your account',
      what: ['Somebody who runs {app} sees and uses it for a while as you do, to help you or to look into something.',
        'They do not know your password, and can change neither that nor your address.'],
      end: ['You see it in the list of your sessions, where you can end it. If you did not expect that, write to ' +
        'those who run {app}.'],
    },
    'identity-linked': {
      subject: 'There is another way to sign in to {app}',
      what: ['Your account of {app} can be signed in to by an account at another provider from now on.'],
      end: ['If it was not you, sign in, take that way away, and choose another password.'],
    },
  },
  code: 'Or type this code where you asked for it. It is good for {code-life}:',
  message: 'Whoever invites you writes:',
  when: 'When',
  from: 'From',
  unknownPlace: 'a server',
  with: 'with',
  minutes: (count) => count === 1 ? 'a minute' : `${count} minutes`,
  hours: (count) => count === 1 ? 'an hour' : `${count} hours`,
  days: (count) => count === 1 ? 'a day' : `${count} days`,
  pages: pagesEn,
}
