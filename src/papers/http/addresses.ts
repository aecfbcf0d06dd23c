import { type LookupAddress, lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** True for an address that requests may go to. */
export type AllowAddress = (address: string) => boolean;

/** Where requests may go: to these addresses, and to hosts (named as in a URL) that the operator has set, wherever they are. */
export type AllowedPlaces = { readonly allow: AllowAddress; readonly trusted: ReadonlySet<string> };

// Special-purpose addresses: IANA's registries after RFC 6890, with multicast and the reserved class E.
const internal = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  internal.addSubnet(network, prefix, 'ipv4');
// Global unicast is 2000::/3; all else is refused, and within it the tunnels that carry an IPv4 address inside.
const global6 = new BlockList();
global6.addSubnet('2000::', 3, 'ipv6');
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  internal.addSubnet(network, prefix, 'ipv6');

/** True for an address of the public internet; false for every private, local, reserved or tunnelled one. */
export const isPublicAddress: AllowAddress = (address) => {
  const family = isIP(address);
  if (family === 4) return !internal.check(address, 'ipv4');
  return family === 6 && global6.check(address, 'ipv6') && !internal.check(address, 'ipv6');
};

/** A connection was refused because of where it would lead. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';
}

/**
 * A `lookup` for sockets that fails when any address of a name that isn't trusted isn't allowed: the address checked is the address
 * connected to, so that a name can't answer differently the second time.
 */
export function guardedLookup({ allow, trusted }: AllowedPlaces): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const bad = trusted.has(hostname) ? undefined : addresses.find(({ address }) => !allow(address));
      if (bad)
        return callback(new ForbiddenAddress(`${hostname} is ${bad.address}, an internal address`), []);
      answer(addresses, options.all === true, callback);
    });
  };
}

function answer(addresses: LookupAddress[], all: boolean, callback: Parameters<LookupFunction>[2]): void {
  const first = addresses[0];
  if (all || !first) callback(null, addresses);
  else callback(null, first.address, first.family);
}

/**
 * Why a URL may not be requested, or undefined. Names are checked when they are looked up, see
 * {@link guardedLookup}; here are the scheme and addresses written as such, which no lookup sees.
 */
export function forbiddenUrl(url: URL, { allow, trusted }: AllowedPlaces): string | undefined {
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return `the scheme ${url.protocol} is not requested`;
  if (url.username !== '' || url.password !== '') return 'the address carries a password';
  if (trusted.has(url.hostname)) return undefined;
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(literal) !== 0 && !allow(literal)) return `${literal} is an internal address`;
  return undefined;
}

/**
 * The site a host belongs to, for redirects and for rate limits: its last two labels (`export.arxiv.org` →
 * `arxiv.org`), with the port where it isn't the scheme's own; an address is its own site.
 */
export function siteOf(url: URL): string {
  if (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) return url.host;
  return url.hostname.split('.').slice(-2).join('.') + (url.port === '' ? '' : `:${url.port}`);
}

/** Why a redirect is not followed, or undefined: it may only lead to the same site, and never from https to http. */
export function wrongRedirect(from: URL, to: URL): string | undefined {
  if (from.protocol === 'https:' && to.protocol !== 'https:')
    return 'a redirect away from https is not followed';
  return siteOf(from) === siteOf(to) ? undefined : 'a redirect to another site is not followed';
}
