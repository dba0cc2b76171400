import { html } from '../../mail/html.ts'

/** The style of all pages, which stands in each. */
export const style = html`
:root { color-scheme: light dark; --page: light-dark(#f4f4f5, #0f1216); --card: light-dark(#fff, #171b21);
  --line: light-dark(#dfe3e8, #2b323c); --field: light-dark(#8a93a0, #66707d); --text: light-dark(#18181b, #e9ecf0);
  --soft: light-dark(#52525b, #a3acb8); --accent: light-dark(#1d4ed8, #8fb1ff); --on-accent: light-dark(#fff, #0d1526);
  --danger: light-dark(#b3261e, #ff9d94); font: 1rem/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif }
* { box-sizing: border-box; margin: 0 }
body { min-height: 100vh; padding: clamp(1rem, 8vh, 5rem) 1rem; background: var(--page); color: var(--text) }
main { max-width: 27rem; margin: 0 auto; padding: clamp(1.25rem, 5vw, 2rem); background: var(--card);
  border: 1px solid var(--line); border-radius: .875rem }
.app { color: var(--soft); font-size: .875rem; font-weight: 600; margin-bottom: .75rem }
h1 { font-size: 1.5rem; line-height: 1.2; letter-spacing: -.01em; text-wrap: balance }
h1 + p { margin-top: .625rem; color: var(--soft) }
form { margin-top: 1.5rem; display: grid; gap: 1.25rem }
fieldset { border: 0; padding: 0; min-width: 0 }
label { display: block; font-size: .875rem; font-weight: 600; margin-bottom: .375rem }
input { width: 100%; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--field);
  border-radius: .5rem; padding: .625rem .75rem }
.hint { margin-top: .375rem; color: var(--soft); font-size: .875rem }
button, .on { display: block; width: 100%; font: inherit; font-weight: 600; text-align: center; text-decoration: none;
  padding: .6875rem 1.125rem; border: 0; border-radius: .5rem; background: var(--accent); color: var(--on-accent);
  cursor: pointer }
form[aria-busy=true] button { opacity: .6; cursor: progress }
.on { margin-top: 1.5rem }
.wrong { margin-top: 1rem; padding-inline-start: .75rem; border-inline-start: 3px solid currentcolor;
  color: var(--danger) }
[hidden] { display: none }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
`
