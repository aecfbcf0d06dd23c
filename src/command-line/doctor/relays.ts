import { isIP } from 'node:net';
import { probeRelay, type RelayProbe } from '#src/mail/relay-probe.ts';
import type { ConnectFault } from '#src/mail/smtp-connect.ts';
import type { Relay } from '#src/mail/smtp-relay.ts';
import type { Extensions } from '#src/mail/smtp-wire.ts';
import { type Check, duration, type Finding, failed, ok, size, warning } from './check.ts';

/** A digest of ten papers has some 50 KB, the longest there is some 150. */
const DIGEST = { usual: 64_000, longest: 150_000 };
/** A certificate that ends within so long is told, in milliseconds. */
const EXPIRY_MS = 14 * 86_400_000;

/** One relay: what delivery does until the first mail, then QUIT. */
export const checkRelay = (relay: Relay, now: () => Date): Check => ({
  name: nameOf(relay),
  fix: SILENT,
  run: async () => [judgeRelay(relay, await probeRelay(relay), now())],
});

const SILENT =
  'SMTP_URL: it takes connections and says nothing; is it an SMTP server, and is the port right (TLS from the start: smtps://)?';

const nameOf = (relay: Relay) => `relay ${relay.name}`;

/** Whether mail can go out by a relay. */
export function judgeRelay(relay: Relay, probe: RelayProbe | ConnectFault, now: Date): Finding {
  const name = nameOf(relay);
  if (probe.type !== 'connected') return failed(name, probe.reply, fixFor(relay, probe));
  const { tls, extensions, tookMs } = probe;
  const seen = [
    `ready in ${Math.round(tookMs)} ms`,
    tls ? `${tls.protocol}${tls.validTo ? `, certificate until ${day(tls.validTo)}` : ''}` : 'no TLS',
    relay.auth ? `logged in as ${relay.auth.user}` : 'no AUTH',
    offers(extensions),
  ].join(', ');
  const { maxSize } = extensions;
  if (maxSize !== null && maxSize < DIGEST.usual)
    return failed(
      name,
      seen,
      `raise the relay's limit of ${size(maxSize)} a message: a digest has some 50 KB`,
    );
  if (!tls && !isNear(relay.host))
    return warning(
      name,
      seen,
      'SMTP_URL: mails cross the network in the clear; use a relay with STARTTLS and add ?tls=required, or smtps://',
    );
  const left = tls?.validTo ? tls.validTo.getTime() - now.getTime() : Number.POSITIVE_INFINITY;
  if (left < EXPIRY_MS)
    return warning(
      name,
      seen,
      left < 0
        ? 'its certificate has expired, which SMTP_URL overlooks (verify=no, or TLS only where offered): renew it'
        : `its certificate ends in ${duration(left)}: renew it, or delivery stops then`,
    );
  if (maxSize !== null && maxSize < DIGEST.longest)
    return warning(
      name,
      seen,
      `raise the relay's limit of ${size(maxSize)} a message: the longest digests have more`,
    );
  return ok(name, seen);
}

function fixFor(relay: Relay, { type, reply }: ConnectFault): string {
  if (type === 'refused')
    return 'SMTP_URL: user and password must be those of the relay (percent-encoded where they hold @ : / ?)';
  if (/greeting|let us in in time/i.test(reply)) return SILENT;
  if (/certificate|altname|self.signed/i.test(reply))
    return `SMTP_URL: the certificate must be valid and name ${relay.host}; of a private authority: set NODE_EXTRA_CA_CERTS; in a network of your own: ?verify=no`;
  if (/STARTTLS|wrong version number|SSL|TLS/i.test(reply))
    return 'SMTP_URL: smtps:// for TLS from the start (465), smtp:// for STARTTLS (587, 25); ?tls=never where the relay has none';
  if (/ENOTFOUND|EAI_AGAIN|EDNS|getaddrinfo/i.test(reply))
    return `SMTP_URL: is the name ${relay.host} right, and does this machine's name server answer?`;
  return `SMTP_URL: does the relay run at ${relay.name}, and may this machine reach it (firewall, port 25 closed by the provider: use 587)?`;
}

function offers(extensions: Extensions): string {
  const { pipelining, chunking, eightBit, utf8, maxSize } = extensions;
  const words = [
    pipelining ? 'PIPELINING' : 'no PIPELINING (slower)',
    ...(chunking ? ['CHUNKING'] : []),
    ...(eightBit ? ['8BITMIME'] : []),
    ...(utf8 ? ['SMTPUTF8'] : []),
    maxSize === null ? 'SIZE without a limit' : `SIZE ${size(maxSize)}`,
  ];
  return words.join(' ');
}

const day = (date: Date) =>
  Number.isNaN(date.getTime()) ? 'an unknown day' : date.toISOString().slice(0, 10);

/** This machine, or a network of one's own, by name or address (RFC 1918, RFC 4193); a name without a dot is of the own network. */
const isNear = (host: string): boolean =>
  isIP(host) === 0
    ? !host.includes('.') || host.endsWith('.local') || host.endsWith('.internal')
    : /^(127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|::1$|f[cd])/i.test(host);
