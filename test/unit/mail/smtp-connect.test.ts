import type * as dns from 'node:dns';
import { expect, test, vi } from 'vitest';
import { connectToRelay } from '#src/mail/smtp-connect.ts';
import { parseRelay } from '#src/mail/smtp-relay.ts';

// A name with two addresses, whatever the machine's own names are.
vi.mock('node:dns', async (original) => ({
  ...(await original<typeof dns>()),
  lookup: (_host: string, _options: object, callback: (error: null, found: dns.LookupAddress[]) => void) =>
    callback(null, [
      { address: '127.0.0.1', family: 4 },
      { address: '127.0.0.2', family: 4 },
    ]),
}));

test('a relay that refuses at all of its addresses is told by each', async () => {
  const fault = await connectToRelay(parseRelay('smtp://relay.test:1'));
  expect(fault).toEqual({
    type: 'unreachable',
    reply: 'connect ECONNREFUSED 127.0.0.1:1; connect ECONNREFUSED 127.0.0.2:1',
  });
});
