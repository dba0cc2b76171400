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
  },
  code: 'Code from the mail',
  codeHint: 'In the browser in which you asked for the mail. In any other, paste the whole link of the mail.',
  password: 'New password',
  passwordHint: 'At least {min} characters.',
  goOn: 'Go on to {app}',
  invalid: 'This link or code is not good any more, or it was mistyped. Ask for another mail where you began.',
  elsewhere: 'A code is good in the browser in which you asked for the mail. Here, paste the whole link of the mail.',
  rejected: (sentence) => `${sentence}.`,
  later: 'There were too many tries. Wait a while, then try again.',
}
