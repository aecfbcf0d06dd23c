import type { Command } from 'commander';
import { readConfig } from '#src/config.ts';
import { dkimRecord, signingKeys } from '#src/mail/dkim.ts';
import { publishedKey } from '#src/mail/domain-records.ts';
import { dkimKeysOf } from '#src/signer.ts';
import { CommandError, type Io } from './io.ts';

/** `paperboy mail dkim` */
export function registerDkim(mail: Command, io: Io): void {
  mail
    .command('dkim')
    .description(
      'Print the DNS records of DKIM_KEYS, and which keys sign; with --check compare them with the DNS, exit 1 unless every signing key is there',
    )
    .option('--check', 'ask the DNS')
    .option('--json', 'as JSON: [{"name", "type", "value", "signs", "published"}]')
    .action((options: { check?: boolean; json?: boolean }) => showKeys(io, options));
}

async function showKeys(io: Io, { check, json }: { check?: boolean; json?: boolean }): Promise<void> {
  const keys = dkimKeysOf(readConfig());
  if (keys.length === 0)
    throw new CommandError(
      'DKIM_KEYS is not set: nothing is signed here. Make a key with `openssl genrsa 2048` and set domain:selector:path.',
    );
  const signing = signingKeys(keys);
  const records = await Promise.all(
    keys.map(async (key) => {
      const { name, value } = dkimRecord(key);
      const published = check ? await publishedKey({ name, value }) : 'not asked';
      return { name, type: 'TXT', value, signs: signing.includes(key), published };
    }),
  );
  if (json) io.out(JSON.stringify(records, null, 2));
  else
    for (const { name, value, signs, published } of records) {
      io.out(`${name}. IN TXT ${zoneStrings(value)}`);
      io.err(
        `  ${signs ? 'signs' : 'does not sign (another of its algorithm stands before it)'}${check ? `; in the DNS: ${published}` : ''}`,
      );
    }
  if (check && records.some(({ signs, published }) => signs && published !== 'right')) process.exitCode = 1;
}

/** A TXT record's strings hold 255 octets at most (RFC 1035 §3.3). */
const zoneStrings = (value: string) => (value.match(/.{1,255}/g) ?? []).map((part) => `"${part}"`).join(' ');
