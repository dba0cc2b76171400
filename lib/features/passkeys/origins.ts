/** True where a host is this domain or below it. Of `com` nothing is: browsers know which domains people may have. */
export function isSuffixOf (domain: string, host: string): boolean {
  if (host === domain) return true
  return domain.includes('.') && host.endsWith(`.${domain}`)
}

/** The origins of pages that are on other domains than `rpId`, which has to vouch for them (WebAuthn L3 §5.11). */
export function originsLeaving (origins: string[], rpId: string): string[] {
  return origins.filter((origin) => origin.startsWith('http') && !isSuffixOf(rpId, new URL(origin).hostname))
}

export function hostsLeaving (origins: string[], rpId: string): string[] {
  return originsLeaving(origins, rpId).map((origin) => new URL(origin).hostname)
}

/** Parts of domains that people have names below, such as `co.uk`. */
const commonSecondLevels = ['ac', 'co', 'com', 'edu', 'go', 'gov', 'ne', 'net', 'or', 'org']

/**
 * The label by which browsers count a related site: that of `example.co.uk` and `example.com` is one. Which suffixes
 * there are only browsers know in full, so this looks at the shape.
 */
export function siteLabelOf (host: string): string {
  const labels = host.split('.')
  const hasTwo = labels.length > 2 && labels.at(-1)!.length === 2 && commonSecondLevels.includes(labels.at(-2)!)
  return labels.at(hasTwo ? -3 : -2) ?? host
}
