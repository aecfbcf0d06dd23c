import { expect, test } from 'vitest';
import { withoutAddresses } from '#src/mail/redact.ts';

test.each([
  ['550 5.1.1 <ada@example.org>: unknown', '550 5.1.1 <…>: unknown'],
  ['"ada l"@example.org, bob+x@sub.example.org;(c@d)', '…, …;(…)'],
  ['δοκιμή@παράδειγμα.gr is full', '… is full'],
  ['a@b@c', '…'],
  ['no address at all', 'no address at all'],
  ['only @ here', 'only @ here'],
])('%s', (said, kept) => expect(withoutAddresses(said)).toBe(kept));

test('takes time in proportion to what was said', () => {
  const cpu = (length: number) => {
    const hostile = `${'a'.repeat(length)} ${'"'.repeat(length)} x@`;
    const before = process.cpuUsage();
    withoutAddresses(hostile);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  cpu(1_000);
  // Quadratic, the latter took seconds.
  expect(cpu(200_000) / 1_000).toBeLessThan(200);
});
