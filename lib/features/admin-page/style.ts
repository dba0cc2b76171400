import { code } from './code.ts'

/** The style of the page, which stands in it. */
export const style = code`
:root { color-scheme: light dark; --page: light-dark(#f4f5f7, #0f1216); --card: light-dark(#fff, #171b21);
  --line: light-dark(#dfe3e8, #2b323c); --field: light-dark(#7c8592, #727d8b); --text: light-dark(#16191d, #e9ecf0);
  --soft: light-dark(#525a66, #a3acb8); --accent: light-dark(#1d4ed8, #8fb1ff); --on-accent: light-dark(#fff, #0d1526);
  --danger: light-dark(#b3261e, #ff9d94); --good: light-dark(#166534, #7ddba0); --tint: light-dark(#eaf0fd, #1c2740);
  font: 1rem/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif }
* { box-sizing: border-box; margin: 0 }
[hidden] { display: none !important }
body { min-height: 100vh; background: var(--page); color: var(--text); padding-bottom: 5rem }
header { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1.5rem; padding: .75rem clamp(1rem, 4vw, 2rem);
  background: var(--card); border-bottom: 1px solid var(--line) }
.brand { font-weight: 650 }
.brand span { margin-inline-start: .5rem; padding: .125rem .5rem; border-radius: 1rem; background: var(--tint);
  color: var(--accent); font-size: .75rem }
nav { display: flex; gap: .25rem }
nav a { padding: .375rem .75rem; border-radius: .5rem; color: inherit; text-decoration: none; font-weight: 600 }
nav a[aria-current] { background: var(--tint); color: var(--accent) }
#who { margin-inline-start: auto; display: flex; align-items: center; gap: .75rem; color: var(--soft); min-width: 0 }
#name { overflow-wrap: anywhere }
main { max-width: 64rem; margin: 0 auto; padding: 1.5rem clamp(1rem, 4vw, 2rem) }
#view { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.25rem }
.card, dialog { background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
  padding: clamp(1rem, 4vw, 1.5rem) }
#sign-in { max-width: 27rem; margin: clamp(0rem, 6vh, 4rem) auto 0 }
h1 { font-size: 1.5rem; line-height: 1.25; letter-spacing: -.01em; overflow-wrap: anywhere }
h2 { font-size: 1.0625rem; line-height: 1.3; margin-bottom: .5rem }
:is(h1, h2):focus { outline: none }
.hint { color: var(--soft); font-size: .875rem }
label { display: block; font-size: .875rem; font-weight: 600; margin-top: 1rem }
input, select { width: 100%; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--field);
  border-radius: .5rem; padding: .5rem .75rem; margin-top: .25rem; min-height: 2.75rem }
.check { display: flex; gap: .625rem; align-items: baseline; font-weight: 400 }
.check input { width: auto; min-height: 0 }
button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: .375rem 1rem; border: 1px solid transparent;
  border-radius: .5rem; background: var(--accent); color: var(--on-accent); cursor: pointer }
.plain { background: transparent; border-color: var(--field); color: var(--text) }
.danger { background: transparent; border-color: currentcolor; color: var(--danger) }
[aria-busy=true] button, button[aria-busy=true] { opacity: .6; cursor: progress }
#sign-in > button { width: 100%; margin-top: 1rem }
.wrong { color: var(--danger); margin-top: .75rem }
.wrong:empty { display: none }
.filters { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(11rem, 100%), 1fr)); gap: 1rem;
  align-items: end }
.filters label { margin-top: 0 }
.rows { list-style: none; padding: 0 }
.rows > li { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: .25rem 1rem;
  padding-block: .75rem; border-top: 1px solid var(--line); overflow-wrap: anywhere }
.rows > li:first-child { border-top: 0; padding-top: 0 }
.rows > li:last-child { padding-bottom: 0 }
.choices:not(:has(> :not([hidden]))) { display: none }
.rows > li > div { min-width: 0; flex: 1 1 14rem }
.rows p { color: var(--soft); font-size: .875rem }
.rows a, .rows strong { font-weight: 600 }
a { color: var(--accent); text-underline-offset: .2em }
code { font: .875em ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .375rem 1.25rem; overflow-wrap: anywhere }
dt { color: var(--soft) }
dd { min-width: 0 }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0 } dd { margin-bottom: .5rem } }
.choices { display: flex; flex-wrap: wrap; gap: .625rem; margin-top: 1rem }
dialog .choices { justify-content: flex-end }
dialog { margin: auto; width: min(28rem, calc(100vw - 2rem)); color: inherit }
dialog::backdrop { background: rgb(0 0 0 / 50%) }
#ask-text > p + p { margin-top: .5rem }
.tag { display: inline-block; padding: .0625rem .5rem; border: 1px solid currentcolor; border-radius: 1rem;
  font-size: .75rem; font-weight: 600 }
.tag.bad { color: var(--danger) }
.tag.good { color: var(--good) }
.token { display: block; margin-top: .75rem; padding: .625rem; border: 1px solid var(--line); border-radius: .5rem;
  max-height: 9rem; overflow: auto }
#notice { position: fixed; inset: auto 1rem 1.25rem; margin-inline: auto; width: fit-content; max-width: 36rem;
  padding: .625rem 1rem; border-radius: .5rem; background: light-dark(#16191d, #e9ecf0);
  color: light-dark(#fff, #16191d) }
#notice:empty { visibility: hidden }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: .375rem }
`
