import type { PagesWords } from '../page-words.ts'

/** English. */
export const pagesEn: PagesWords = {
  language: 'en',
  each: {
    reset: {
      title: 'Choose another password',
      what: 'All sessions of your account of {app} end with it.',
      action: 'Change password',
      done: 'Your password is changed, and all sessions are over. Sign in with the new one.',
    },
    verify: {
      title: 'Verify your address',
      what: 'Confirm that this address is yours, and that it is the one of your account of {app}.',
      action: 'Verify address',
      done: 'Your address is verified.',
    },
    disown: {
      title: 'This was not for me',
      what: 'Somebody has given your address for an account of {app}, or has invited you. It leaves that account, ' +
        'and whoever is signed in there is signed out; an invitation is void.',
      action: 'Remove my address',
      done: 'It is done: the account has your address no more, or the invitation is void.',
    },
    change: {
      title: 'Confirm your new address',
      what: 'Confirm that your account of {app} is to have another address.',
      action: 'Confirm',
      done: 'Your account has another address.',
    },
    revert: {
      title: 'Take your account back',
      what: 'Your account of {app} gets its address of before back. All sessions end, and you choose another password.',
      action: 'Take it back',
      done: 'The address is as before, and all sessions are over. A mail is on its way by which you choose another ' +
        'password.',
    },
    restore: {
      title: 'Keep your account',
      what: 'Your account of {app} is going to be deleted. Press the button to keep it.',
      action: 'Keep my account',
      done: 'Your account stays. You can sign in again.',
    },
  },
  fields: {
    code: {
      label: 'Code from the mail',
      hint: 'In the browser in which you asked for the mail. In any other, paste the whole link of the mail.',
    },
    link: { label: 'Link from the mail', hint: 'Copy it from the mail, and paste it here.' },
    codeBeside: {
      label: 'Code from the mail',
      hint: 'It stands below the button, and is good here as long as the link.',
    },
    address: { label: 'Your e-mail address', hint: 'The one that the mail came to.' },
    password: { label: 'New password', hint: 'At least {min} characters.' },
  },
  missing: {
    code: 'This is not the browser in which you began. Type the code of the mail, so that it is sure that it is you.',
    address: 'The mail did not come to this address.',
  },
  goesOn: 'Another mail is on its way to the new address. Go on there.',
  taken: 'Somebody else has this address.',
  goOn: 'Go on to {app}',
  invalid: 'This link or code is not good any more, or it was mistyped. Ask for another mail where you began.',
  elsewhere: 'A code is good in the browser in which you asked for the mail. Here, paste the whole link of the mail.',
  rejected: (sentence) => `${sentence}.`,
  later: 'There were too many tries. Wait a while, then try again.',
}
