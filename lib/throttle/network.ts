import { isIPv4, isIPv6 } from 'node:net'

/**
 * The network that an address belongs to, however it is spelled: an IPv4 address, or the /64 that one IPv6 customer has
 * to choose from. What is no address, as on a Unix socket, is one network.
 */
export function networkOf (ip = ''): string {
  // Some proxies name the port too, and would make a network of each; a zone is this machine's own business.
  const address = ip.replace(/^\[(.*)\](:\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1').replace(/%.*$/, '')
  if (isIPv4(address)) return address
  if (!isIPv6(address)) return 'none'

  const groups = groupsOf(address)
  return mappedIn(groups) ?? `${groups.slice(0, 4).map((group) => group.toString(16)).join(':')}::/64`
}

/** The IPv4 address in `::ffff:1.2.3.4`, as a socket for both kinds tells it. */
function mappedIn (groups: number[]): string | undefined {
  if (groups.slice(0, 5).some((group) => group !== 0) || groups[5] !== 0xffff) return
  return groups.slice(6).flatMap((group) => [group >> 8, group & 0xff]).join('.')
}

/** The eight groups. A URL writes each of the many spellings in one. */
function groupsOf (address: string): number[] {
  const [left, right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::').map((part) => part.split(':').filter(Boolean))
  const [before, after] = [left!, right ?? []]
  return [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after].map((group) => Number.parseInt(group, 16))
}
