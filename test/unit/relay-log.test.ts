import { expect, test } from 'vitest';
import type { DigestId } from '#src/database/ids.ts';
import { readRelayLog } from '#src/digests/relay-log.ts';
import { createResolve } from '#src/digests/resolve.ts';

const LOG = `
Nov 21 01:00:00 mx postfix/cleanup[1]: 4A1B2C3D4E: message-id=<a@h>
Nov 21 01:00:00 mx postfix/qmgr[2]: 4A1B2C3D4E: from=<b@h>, size=40000, nrcpt=1 (queue active)
Nov 21 01:00:01 mx postfix/smtp[3]: 4A1B2C3D4E: to=<r@x>, relay=x[1.2.3.4]:25, dsn=2.0.0, status=sent (250 ok)
Nov 21 01:00:00 mx postfix/cleanup[1]: 3zLqK51kfzz1x9q: message-id=<b@h>
Nov 21 01:00:00 mx postfix/qmgr[2]: 3zLqK51kfzz1x9q: from=<b@h>, size=40000, nrcpt=1 (queue active)
Nov 21 01:00:01 mx postfix/smtp[3]: 3zLqK51kfzz1x9q: to=<r@x>, dsn=5.1.1, status=bounced (550 no such user)
Nov 21 01:00:00 mx postfix/cleanup[1]: 5A1B2C3D4E: message-id=<cut-off@h>
Nov 21 01:00:00 mx postfix/cleanup[1]: 6A1B2C3D4E: message-id=<waits@h>
Nov 21 01:00:00 mx postfix/qmgr[2]: 6A1B2C3D4E: from=<b@h>, size=40000, nrcpt=1 (queue active)
Nov 21 01:00:01 mx postfix/smtp[3]: 6A1B2C3D4E: to=<r@x>, dsn=4.2.0, status=deferred (450 later)
2026-11-21 01:00:02 1abcde-000001-AB <= bounces@h H=(paperboy) P=esmtp S=40000 id=exim@h for r@x
<listed@h>
`.split('\n');

test('the fate of each message is read from the log of Postfix or Exim, or from a list', async () => {
  expect(await readRelayLog(LOG)).toEqual(
    new Map([
      ['<a@h>', 'delivered'],
      ['<b@h>', 'bounced'],
      ['<waits@h>', 'accepted'],
      ['<exim@h>', 'accepted'],
      ['<listed@h>', 'delivered'],
    ]),
  );
});

test('unknown digests are settled by what the log says', async () => {
  const settled: unknown[] = [];
  const names = ['a@h', 'b@h', 'cut-off@h', 'never@h'];
  const resolve = createResolve({
    report: {
      unknown: async () =>
        names.map(
          (publicId, n) =>
            ({ id: n as DigestId, publicId, editionDate: '2026-06-10', resent: false }) as never,
        ),
      settle: async (ids, as) => {
        if (ids.length > 0) settled.push([as, ...ids]);
        return ids.length;
      },
    },
    messageIdOf: ({ publicId }) => `<${publicId}>`,
  });
  const fates = await readRelayLog(LOG);
  expect(await resolve.byLog(fates, 'leave')).toEqual({ sent: 1, failed: 1, resend: 0, left: 2 });
  expect(await resolve.byLog(fates, 'resend')).toEqual({ sent: 1, failed: 1, resend: 2, left: 0 });
  expect(settled).toEqual([
    ['sent', 0],
    ['failed', 1],
    ['sent', 0],
    ['failed', 1],
    ['resend', 2, 3],
  ]);
});
