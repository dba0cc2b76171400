import { createHash } from 'node:crypto'
import { html, type Html } from '../../mail/html.ts'
import { api } from './browser/api.ts'
import { dialogs } from './browser/dialogs.ts'
import { dom } from './browser/dom.ts'
import { events } from './browser/events.ts'
import { mails } from './browser/mails.ts'
import { main } from './browser/main.ts'
import { signIn } from './browser/sign-in.ts'
import { userActions } from './browser/user-actions.ts'
import { user } from './browser/user.ts'
import { users } from './browser/users.ts'
import { body } from './body.ts'
import { style } from './style.ts'

/** Each uses what stands before it. */
const script = html`'use strict'
${[dom, api, dialogs, signIn, users, userActions, user, events, mails, main]}`

const hashOf = ({ text }: Html) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** What the page may do: run its script, have its style, and ask its own server. */
export const policy = `script-src ${hashOf(script)}; style-src ${hashOf(style)}; connect-src 'self'; form-action 'none'`

/** The page of an app. What its script has to know stands in the element of its main part. */
export function pageFor (facts: object, appName = 'Accounts'): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>Admin – ${appName}</title><style>${style}</style></head>
<body>${body(appName, JSON.stringify(facts))}<script>${script}</script></body></html>
`.text
}
