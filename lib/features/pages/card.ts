import { feature } from '../feature.ts'
import { mail } from '../mail/card.ts'
import type { PagesSettings } from './options.ts'

/** Pages for links of mails that lead to none of the app's own. */
export const pages = feature({
  name: 'pages',
  needs: { mail },
  off: { when: ({ mail }: PagesSettings) => !mail?.pages, face: undefined },
  open: (spine, settings: PagesSettings, needs) =>
    import('./open.ts').then(({ open }) => open(spine, settings, needs)),
})
