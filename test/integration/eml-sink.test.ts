import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { contentOf } from '#src/mail/content.ts';
import { startEmlSink } from '#src/mail/eml-sink.ts';
import { parseRelay } from '#src/mail/smtp-relay.ts';
import { createMailTransport } from '#src/mail/transport.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function send(url: string, ids: string[]) {
  const transport = createMailTransport({ relays: [parseRelay(url)], connections: 3 });
  const outcomes = await Promise.all(
    ids.map((id) =>
      transport.send(
        {
          envelope: { from: 'a@example.org', to: 'b@example.org' },
          messageId: id,
          content: contentOf(Buffer.from(`Message-ID: ${id}\r\nSubject: x\r\n\r\n.dots\r\n`)),
        },
        () => true,
      ),
    ),
  );
  await transport.close();
  return outcomes.map((outcome) => outcome.type);
}

test('writes one file per message, shows repeats, also those of an earlier run, and drops half-written ones', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'paperboy-eml-'));
  folders.push(folder);
  const sink = await startEmlSink(folder);
  expect(await send(sink.url, ['<1@h>', '<2@h>', '<../3@h>'])).toEqual(['accepted', 'accepted', 'accepted']);
  expect(sink.count()).toBe(3);
  await sink.close();
  await writeFile(join(folder, '4@h.eml.part'), 'half');
  const again = await startEmlSink(folder);
  expect(await send(again.url, ['<2@h>', '<5@h>'])).toEqual(['accepted', 'accepted']);
  expect(again.repeats()).toEqual(['2@h']);
  await again.close();
  expect((await readdir(folder)).sort()).toEqual(
    ['1@h.eml', '2@h.eml', '2@h~2.eml', '5@h.eml', '__3@h.eml'].sort(),
  );
  expect(await readFile(join(folder, '1@h.eml'), 'utf8')).toBe(
    'Message-ID: <1@h>\r\nSubject: x\r\n\r\n.dots\r\n',
  );
});
