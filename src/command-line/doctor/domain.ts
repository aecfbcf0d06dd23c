import { domainToASCII } from 'node:url';
import type { Config } from '#src/config.ts';
import { type DkimKey, dkimRecord, signingKeys } from '#src/mail/dkim.ts';
import {
  dmarcRecords,
  type PublishedKey,
  publishedKey,
  type ResolveTxt,
  spfRecords,
} from '#src/mail/domain-records.ts';
import { dkimKeysOf } from '#src/signer.ts';
import { askForMail, type DomainResolver, type MailRecords } from '#src/subscribers/mail-domain.ts';
import { type Check, type Finding, failed, ok, skipped, warning } from './check.ts';

/** What the DNS is asked by; tests give their own. */
export type DomainDns = { readonly txt?: ResolveTxt; readonly mail?: DomainResolver };

const DNS_FIX =
  "does this machine's name server answer (/etc/resolv.conf)? `paperboy doctor --offline` asks nobody";

/** The DNS of MAIL_FROM's domain and, where it is another, of BOUNCE_ADDRESS': each check with a limit of time of its own. */
export function checkDomains(config: Config, dns: DomainDns = {}): Check[] {
  const from = domainOf(config.sender.from);
  const bounces = domainOf(config.sender.bounceAddress ?? config.sender.from);
  const check = (name: string, run: () => Promise<Finding | readonly Finding[]>): Check => ({
    name,
    fix: DNS_FIX,
    run: async () => [await run()].flat(),
  });
  if (!from.includes('.'))
    return [
      check('mail domain', async () =>
        warning(
          'mail domain',
          `MAIL_FROM is at ${from}, which is no domain of the internet`,
          'MAIL_FROM: an address of a domain of yours',
        ),
      ),
    ];
  const domains = [...new Set([from, bounces])];
  return [
    ...domains.map((domain) =>
      check(`mail of ${domain}`, async () => judgeMail(domain, await askForMail(domain, dns.mail))),
    ),
    check('SPF', async () => judgeSpf(bounces, await spfRecords(bounces, dns.txt))),
    check('DKIM', () => askForKeys(config, from, dns.txt)),
    check('DMARC', async () => judgeDmarc(from, await dmarcRecords(from, dns.txt))),
  ];
}

/** The domain of `Name <local@domain>`, in ASCII. */
function domainOf(address: string): string {
  const domain = /@([^@>]+)>?$/.exec(address.trim())?.[1] ?? '';
  return domainToASCII(domain) || domain;
}

/** Receivers refuse mail from domains that take none (RFC 5321 section 5.1), and bounces of it are lost. */
export function judgeMail(domain: string, found: MailRecords): Finding {
  const name = `mail of ${domain}`;
  switch (found) {
    case 'mx':
      return ok(name, 'has an MX');
    case 'address':
      return ok(name, 'no MX, and an address, which does');
    case 'unknown':
      return failed(name, 'the DNS gave no answer', DNS_FIX);
    case 'none':
      return failed(
        name,
        'takes no mail: neither MX nor address, or a null MX',
        'MAIL_FROM, BOUNCE_ADDRESS: publish an MX; many servers refuse mail from a domain that takes none, and bounces are lost',
      );
  }
}

/** RFC 7208: of the envelope sender's domain, one record. That it names the relay can't be told from here. */
export function judgeSpf(domain: string, records: readonly string[]): Finding {
  const [record] = records;
  if (record === undefined)
    return warning(
      'SPF',
      `${domain} publishes none`,
      'publish a TXT record "v=spf1 … -all" that names the relay, for the domain of BOUNCE_ADDRESS',
    );
  if (records.length > 1)
    return failed(
      'SPF',
      `${domain} publishes ${records.length} records: none holds`,
      'leave one "v=spf1 …" record (RFC 7208 section 4.5)',
    );
  if (/\+all\b|\sall\b/i.test(record))
    return warning('SPF', `${domain}: ${record}`, 'end it with -all or ~all: as it is anybody may send');
  return ok('SPF', `${domain}: ${record}`);
}

/** RFC 7489: what receivers do with mail that is not ours. */
export function judgeDmarc(domain: string, records: readonly string[]): Finding {
  const [record] = records;
  if (record === undefined)
    return warning(
      'DMARC',
      `none for ${domain}`,
      `publish a TXT record _dmarc.${domain}, "v=DMARC1; p=none; rua=mailto:…" to begin with; large providers ask for one`,
    );
  if (records.length > 1)
    return warning('DMARC', `${records.length} records for ${domain}: none holds`, 'leave one');
  return ok('DMARC', record);
}

async function askForKeys(config: Config, from: string, txt?: ResolveTxt): Promise<Finding[]> {
  if (config.sender.dkimKeys.length === 0)
    return [
      warning(
        'DKIM',
        'nothing is signed here',
        'DKIM_KEYS: unless the relay signs for the domain of MAIL_FROM, make a key (docs/operating.md)',
      ),
    ];
  let keys: readonly DkimKey[];
  try {
    keys = dkimKeysOf(config);
  } catch {
    return [skipped('DKIM', 'DKIM_KEYS has a fault, see configuration')];
  }
  return Promise.all(
    signingKeys(keys).map(async (key) => {
      const record = dkimRecord(key);
      return judgeKey(key.domain, from, record.name, await publishedKey(record, txt));
    }),
  );
}

/** A signature whose key isn't found fails everywhere. @param signs `d=` of the key */
export function judgeKey(signs: string, from: string, name: string, published: PublishedKey): Finding {
  const domain = (domainToASCII(signs) || signs).toLowerCase();
  const print = `\`paperboy mail dkim\` prints the record to publish at ${name}`;
  switch (published) {
    case 'no answer':
      return failed('DKIM', `${name}: the DNS gave no answer`, DNS_FIX);
    case 'missing':
      return failed('DKIM', `${name}: no key in the DNS, and we sign with it`, print);
    case 'different':
      return failed('DKIM', `${name}: another key is in the DNS than we sign with`, print);
    case 'right':
      return from.toLowerCase() === domain || from.toLowerCase().endsWith(`.${domain}`)
        ? ok('DKIM', `${name} is right`)
        : warning(
            'DKIM',
            `${name} is right, and signs for another domain than ${from}`,
            "DKIM_KEYS, MAIL_FROM: sign with the domain of MAIL_FROM or its parent, or DMARC won't pass",
          );
  }
}
