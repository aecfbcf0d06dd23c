import { createSecretKey, createHmac as nodes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHmac } from '#src/mail/hmac.ts';

test.each(['sha256', 'sha512'] as const)('is Node’s HMAC (%s), one message after the other', (algorithm) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.array(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.uint8Array({ maxLength: 2_000 }).map((octets) => Buffer.from(octets)),
        ),
      ),
      (key, messages) => {
        const hmac = createHmac(algorithm, createSecretKey(key));
        for (const message of messages) {
          const expected = nodes(algorithm, key).update(message).digest();
          expect(hmac(message, 'hex')).toBe(expected.toString('hex'));
          expect(hmac(message, 'binary')).toBe(expected.toString('latin1'));
        }
      },
    ),
    { numRuns: 50 },
  );
  expect(createHmac(algorithm, 'a key as text')('x', 'hex')).toBe(
    nodes(algorithm, 'a key as text').update('x').digest('hex'),
  );
});
