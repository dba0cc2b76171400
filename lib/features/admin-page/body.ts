import { html, type Html } from '../../mail/html.ts'

/** What stands in the page before its script runs: a form to sign in by, the places of views, and two dialogs. */
export function body (appName: string, facts: string): Html {
  return html`
<header><p class="brand">${appName}<span>Admin</span></p>
<nav id="nav" aria-label="Views" hidden></nav>
<p id="who" hidden><span id="name"></span> <button type="button" class="plain" id="sign-out">Sign out</button></p>
</header>
<main id="main" data-facts="${facts}">
<noscript><p>This page needs JavaScript.</p></noscript>
<form id="sign-in" class="card" novalidate hidden>
<h1 tabindex="-1">Sign in</h1>
<p class="hint">With an account that may look after others. The page forgets you when it is closed or loaded again.</p>
<div id="by-password"><label for="identifier">User name or e-mail</label>
<input id="identifier" name="identifier" autocomplete="username" autocapitalize="off" spellcheck="false" required>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required></div>
<div id="by-code" hidden><label for="code">Code of your app, or a recovery code</label>
<input id="code" name="code" autocomplete="one-time-code" autocapitalize="off" spellcheck="false" required></div>
<p class="wrong" role="alert"></p>
<button>Sign in</button>
</form>
<section id="view" hidden></section>
</main>
<p id="notice" role="status"></p>
<dialog id="ask" aria-labelledby="ask-title"><form novalidate>
<h2 id="ask-title"></h2><div id="ask-text"></div><div id="ask-fields"></div>
<p class="wrong" role="alert"></p>
<div class="choices"><button type="button" class="plain cancel">Cancel</button><button id="ask-do"></button></div>
</form></dialog>
<dialog id="prove" aria-labelledby="prove-title"><form novalidate>
<h2 id="prove-title">Is it still you?</h2>
<p class="hint">This needs a sign-in of the last 10 minutes.</p>
<input id="prove-name" autocomplete="username" readonly hidden>
<div id="prove-password-part"><label for="prove-password">Your password</label>
<input id="prove-password" name="password" type="password" autocomplete="current-password"></div>
<div id="prove-code-part"><label for="prove-code">Code of your app, or a recovery code</label>
<input id="prove-code" name="code" autocomplete="one-time-code" autocapitalize="off" spellcheck="false"></div>
<p class="wrong" role="alert"></p>
<div class="choices"><button type="button" class="plain cancel">Cancel</button><button>Go on</button></div>
</form></dialog>
`
}
