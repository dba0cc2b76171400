/** It has no options: it is there where mails are kept in place of being sent. */
export {}
