/** Families by what their `User-Agent` holds, the first that fits: many say that they are others too. */
const browsers: [name: string, form: RegExp][] = [
  ['Edge', /\bEdg(A|iOS)?\//], ['Opera', /\bOPR\//], ['Firefox', /\b(Firefox|FxiOS)\//],
  ['Samsung Internet', /\bSamsungBrowser\//], ['Chrome', /\b((Headless)?Chrome|CriOS)\//], ['Safari', /\bSafari\//],
  ['curl', /^curl\//],
]

const systems: [name: string, form: RegExp][] = [
  ['Android', /\bAndroid\b/], ['iOS', /\b(iPhone|iPad|iPod)\b/], ['Windows', /\bWindows\b/], ['macOS', /\bMac OS X\b/],
  ['ChromeOS', /\bCrOS\b/], ['Linux', /\bLinux\b/],
]

/**
 * The family of a browser and its system, such as `Firefox on Linux`, in words of ours: a header may hold anything.
 * Null where it says nothing that is known.
 */
export function browserOf (userAgent: string | null | undefined): string | null {
  const find = (list: typeof browsers) => list.find(([, form]) => form.test(userAgent ?? ''))?.[0]
  const [browser, system] = [find(browsers), find(systems)]
  return browser && system ? `${browser} on ${system}` : browser ?? system ?? null
}
