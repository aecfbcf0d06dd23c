import { domainToASCII } from 'node:url';
import { disposableEmailBlocklist } from 'disposable-email-domains-js';
import isEmailModule from 'validator/lib/isEmail.js';

// The one check, not the library's hundred: CommonJS whose types and exports disagree on where the default is.
const isEmail = isEmailModule.default;

/** A mail address that was understood. */
export type Address = {
  /** For the envelope: the local part as typed (NFC), the domain in ASCII (IDNA), lower case. */
  readonly email: string;
  /** For comparison: lower case throughout. Column `email_key`. */
  readonly key: string;
};

/** Why an address is not taken. `role`, `disposable` and `no-mail` only where the operator's policy refuses them. */
export type AddressFault = { readonly type: 'malformed' | 'too-long' | 'role' | 'disposable' | 'no-mail' };

/** What an operator refuses beyond what is malformed. */
export type AddressPolicy = {
  /** Refuse addresses of functions rather than people, `postmaster@…` (RFC 2142). */
  readonly refuseRoles: boolean;
  /** Domains (and their subdomains) that are refused, in ASCII and lower case. */
  readonly refusedDomains: ReadonlySet<string>;
};

/** The policy of an installation's settings. `refuseDisposable`: the public list of throw-away domains too. */
export function addressPolicy(settings: {
  readonly refuseRoles: boolean;
  readonly refuseDisposable: boolean;
  readonly refusedDomains: readonly string[];
}): AddressPolicy {
  const disposable = settings.refuseDisposable ? disposableEmailBlocklist() : [];
  return {
    refuseRoles: settings.refuseRoles,
    refusedDomains: new Set([...settings.refusedDomains, ...disposable]),
  };
}

/** Takes every well-formed address. */
export const OPEN_POLICY: AddressPolicy = { refuseRoles: false, refusedDomains: new Set() };

/** RFC 2142 section 3–5 and what is never read by one person. */
const ROLES = new Set(
  'abuse admin administrator billing ftp hostmaster info mailer-daemon marketing news no-reply noc noreply postmaster root sales security support usenet uucp webmaster www'.split(
    ' ',
  ),
);

/** RFC 5321 section 4.5.3.1: 64 octets of local part, 254 of the whole path. */
const MAX_OCTETS = 254;

/**
 * Reads an address as a person typed it, internationalised ones included (RFC 6531; the domain by IDNA).
 * Quoted local parts, comments, display names and address literals are refused: nobody's own address has them.
 */
export function parseAddress(
  typed: string,
  policy: AddressPolicy = OPEN_POLICY,
): { readonly type: 'ok'; readonly address: Address } | AddressFault {
  const text = typed.trim().normalize('NFC');
  if (text.length > 320) return { type: 'too-long' };
  const at = text.lastIndexOf('@');
  const domain = domainToASCII(text.slice(at + 1)).toLowerCase();
  const local = text.slice(0, at);
  const email = `${local}@${domain}`;
  if (at < 1 || !domain || local.includes('"') || !isEmail(email, { allow_utf8_local_part: true }))
    return { type: 'malformed' };
  // Controls, white space and separators hide inside what looks like letters: none belongs into an address.
  if (/[\p{C}\p{Z}<>,;:\\]/u.test(email)) return { type: 'malformed' };
  if (Buffer.byteLength(local) > 64 || Buffer.byteLength(email) > MAX_OCTETS) return { type: 'too-long' };
  const refused = refusedBy(policy, local.toLowerCase(), domain);
  return refused ?? { type: 'ok', address: { email, key: email.toLowerCase() } };
}

function refusedBy(policy: AddressPolicy, local: string, domain: string): AddressFault | null {
  if (policy.refuseRoles && ROLES.has(local)) return { type: 'role' };
  const labels = domain.split('.');
  for (let i = 0; i < labels.length - 1; i++)
    if (policy.refusedDomains.has(labels.slice(i).join('.'))) return { type: 'disposable' };
  return null;
}

/** What to tell the person who typed the address. */
export function describeAddressFault(fault: AddressFault): string {
  switch (fault.type) {
    case 'malformed':
      return 'This does not look like an email address. Please check it: name@example.org.';
    case 'too-long':
      return 'This email address is longer than mail allows.';
    case 'role':
      return 'Please use the address of a person, not of a role such as info@ or postmaster@.';
    case 'no-mail':
      return 'The part behind the @ takes no mail. Please check it for a typing error.';
    case 'disposable':
      return 'Addresses at this domain are not accepted here. Please use another one.';
  }
}
