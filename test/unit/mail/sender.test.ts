import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bounceTag, keyedHash, messageId, parseBounceTag, verpAddress } from '#src/mail/sender.ts';
import { sender } from '#test/support/mail-samples.ts';

const { key } = sender;

test('a bounce address names its row, and only the key can make one', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('digest' as const, 'notice' as const),
      fc.nat({ max: 2 ** 31 }),
      (kind, id) => {
        const address = verpAddress('bounces@example.org', bounceTag({ kind, id }, key));
        expect(address.slice(0, address.indexOf('@')).length).toBeLessThanOrEqual(64);
        expect(parseBounceTag(address, key)).toEqual({ kind, id });
        expect(parseBounceTag(address.toUpperCase(), key)).toEqual({ kind, id });
        expect(parseBounceTag(address, 'another key of at least thirty-two octets')).toBeNull();
      },
    ),
  );
});

test.each([
  'bounces@example.org',
  'bounces+d1@example.org',
  'bounces+d1-0000000000@example.org',
  'bounces+x1-0123456789@example.org',
  '',
])('%j names nothing', (address) => expect(parseBounceTag(address, key)).toBeNull());

test('a Message-ID is the same for the same edition and reader, and tells neither', () => {
  const id = messageId(sender, '2026-06-03', 'reader-1');
  expect(id).toBe(messageId(sender, '2026-06-03', 'reader-1'));
  expect(id).not.toBe(messageId(sender, '2026-06-04', 'reader-1'));
  expect(id).not.toBe(messageId(sender, '2026-06-03', 'reader-2'));
  expect(id).toMatch(/^<2026-06-03\.[0-9a-f]{24}@paperboy\.example>$/);
});

test('keyed hashes of different purposes have nothing in common', () => {
  expect(keyedHash(key, 'a', 'x', 64)).not.toBe(keyedHash(key, 'b', 'x', 64));
  expect(keyedHash(Buffer.from('k'.repeat(32)), 'a', 'x', 64)).toBe(keyedHash('k'.repeat(32), 'a', 'x', 64));
});
