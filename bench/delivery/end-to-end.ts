// Due readers → ledger → queue → composed → accepted → recorded, in one process. Prints what it measured.
// With --warm yesterday's edition first goes the same way, as far as readers are due; then it waits for "go" while they are made due again.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import { openDatabase } from '#src/database/database.ts';
import {
  addDays,
  type DigestId,
  type IsoDate,
  type PaperId,
  type SubscriberId,
  utcDate,
} from '#src/database/ids.ts';
import { createDigestComposer } from '#src/digests/compose.ts';
import { createDeliverDigests } from '#src/digests/deliver.ts';
import { openJournals } from '#src/digests/journal.ts';
import { createLedger } from '#src/digests/ledger.ts';
import { digestRanges } from '#src/digests/ranges.ts';
import { contentOf, rawOf } from '#src/mail/content.ts';
import { createHalt } from '#src/mail/delivery-halt.ts';
import { createDkimSigner } from '#src/mail/dkim.ts';
import { createHaltStore } from '#src/mail/halt-store.ts';
import { messageOf } from '#src/mail/message.ts';
import { parseRelay } from '#src/mail/smtp-relay.ts';
import { createSuppressionStore } from '#src/mail/suppression-store.ts';
import { createMailTransport } from '#src/mail/transport.ts';
import { createPaperStore } from '#src/papers/paper-store.ts';
import { openQueue } from '#src/queue/queue.ts';
import { claimDue, setNextDigestAt } from '#src/subscribers/due-store.ts';
import { createLinks } from '#src/subscribers/links.ts';
import { recipientsByIds } from '#src/subscribers/subscriber-store.ts';
import { createTokens } from '#src/subscribers/tokens.ts';
import { profileParts } from './parts.ts';
import { fixedMessage, measured, waitForGo } from './tools.ts';

const { values } = parseArgs({
  options: {
    database: { type: 'string', default: '' },
    redis: { type: 'string', default: '' },
    port: { type: 'string', default: '0' },
    readers: { type: 'string', default: '0' },
    /** Readers of yesterday's edition. */
    warm: { type: 'string', default: '0' },
    connections: { type: 'string', default: '10' },
    /** Another process works on the same readers: the end is when all rows are, whoever sent them. */
    shared: { type: 'boolean', default: false },
    dkim: { type: 'boolean', default: false },
    /** Leave composing out: every message is the same buffer. */
    fixed: { type: 'boolean', default: false },
    probe: { type: 'boolean', default: false },
    /** Profile it: CPU by part, which costs some itself. */
    parts: { type: 'boolean', default: false },
    concurrency: { type: 'string', default: '2' },
    window: { type: 'string', default: '100' },
  },
});

const SECRET = 'the secret of a benchmark, which mails nobody';
const readers = Number(values.readers);
const warm = Number(values.warm);
const now = () => new Date();
const database = openDatabase(values.database, { max: 8 });
const queue = await openQueue(
  values.redis ? { kind: 'redis', url: values.redis } : { kind: 'postgres', url: values.database },
);
const folder = mkdtempSync(join(tmpdir(), 'paperboy-bench-journal-'));
const ledger = createLedger({ database, now });
const papers = createPaperStore({ database });
const suppressions = createSuppressionStore({ hashKey: SECRET });
const transport = createMailTransport({
  relays: [parseRelay(`smtp://127.0.0.1:${values.port}`)],
  connections: Number(values.connections),
  messagesPerConnection: 1_000_000,
});
const links = createLinks({
  baseUrl: 'https://papers.example.org',
  tokens: createTokens({ secret: SECRET }),
});
/** Of a digest. */
let octets = 0;
const composer = createDigestComposer({
  papersByIds: async (ids) => new Map((await papers.papersByIds(ids)).map((paper) => [paper.id, paper])),
  recipientsByIds: (ids) => recipientsByIds(database, ids),
  links,
  sender: {
    name: 'Paperboy',
    address: 'paperboy@papers.example.org',
    homeUrl: 'https://papers.example.org',
    key: SECRET,
  },
  now,
  ...(values.dkim ? { sign: signer() } : {}),
});
let done = 0;
const deliver = createDeliverDigests({
  ledger: {
    ...ledger,
    record: async (results, handedOverAt) => {
      const written = await ledger.record(results, handedOverAt);
      done += written.size;
      return written;
    },
  },
  journals: openJournals({ directory: folder }),
  compose: async (rows) => {
    if (values.fixed) return new Map(rows.map((row) => [row.id, fixedFor(row.id)]));
    return composer.compose(rows);
  },
  transport,
  suppressedAmong: async (addresses) => new Set((await suppressions.among(database, addresses)).keys()),
  suppress: async () => undefined,
  halt: createHalt({ store: createHaltStore({ database }), onAlarm: (reply) => console.error(reply) }),
  now,
  leaseMs: 120_000,
  windowSize: Number(values.window),
});

const fixed = contentOf(fixedMessage(44_768));
const fixedFor = (id: number) => ({
  envelope: { from: 'a@example.org', to: `reader${id}@example.org` },
  messageId: `<${id}@example.org>`,
  content: fixed,
});

function signer() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  return createDkimSigner({
    keys: [{ domain: 'papers.example.org', selector: 'bench', privateKey: pem }],
    now,
  });
}

const edition = utcDate(now());
const { papers: allPapers } = {
  papers: await database.selectFrom('papers').select('id').orderBy('id').execute(),
};

/** Ten papers of the edition, others for each reader: choosing by taste has a benchmark of its own. */
const chosenFor = (id: SubscriberId) => ({
  paperIds: Array.from(
    { length: 10 },
    (_, i) => allPapers[(id * 7 + i * 13) % allPapers.length]?.id as PaperId,
  ),
  reasons: Array.from({ length: 10 }, () => [
    {
      type: 'follow' as const,
      topic: { kind: 'category' as const, value: 'cs.LG' },
      name: 'cs.LG',
      terms: [],
      weight: 1,
    },
  ]),
  candidates: allPapers.length,
});

async function plan(editionDate: IsoDate): Promise<void> {
  for (;;) {
    const rows = await database.transaction().execute(async (tx) => {
      const due = await claimDue(tx, now(), 500);
      const written = await ledger.insert(
        tx,
        due.map((reader) => ({
          editionDate,
          subscriberId: reader.id,
          kind: 'daily' as const,
          content: chosenFor(reader.id),
          slotAt: reader.nextDigestAt,
          deadline: new Date(now().getTime() + 36 * 3_600_000),
        })),
      );
      const tomorrow = new Date(now().getTime() + 86_400_000);
      await setNextDigestAt(
        tx,
        due.map((reader) => ({ id: reader.id, nextDigestAt: tomorrow })),
      );
      return written;
    });
    if (rows.length === 0) return;
    for (const range of digestRanges(rows)) await queue.queue.add('deliver-digests', range);
  }
}

/** How long an urgent message takes to be accepted while everything runs, in milliseconds. */
async function probe(latencies: number[]): Promise<void> {
  while (done < readers) {
    const start = performance.now();
    const content = contentOf(Buffer.from('Message-ID: <probe@example.org>\r\n\r\nconfirm\r\n'));
    const envelope = { from: 'a@example.org', to: 'probe@example.org' };
    const outcome = await transport.send(
      { envelope, messageId: '<probe@example.org>', content },
      async () => true,
      {
        urgent: true,
      },
    );
    if (outcome.type !== 'accepted') throw new Error(`the probe was ${outcome.type}: ${outcome.reply}`);
    latencies.push(performance.now() - start);
    await delay(20);
  }
}

async function allSent(editionDate: IsoDate, count: number): Promise<boolean> {
  const { rows } = await sql<{ n: number }>`
    select count(*) as n from digests where state = 'sent' and edition_date = ${editionDate}`.execute(
    database,
  );
  return rows[0]?.n === count;
}

const idle = async () => undefined;
/** Templates are loaded and the edition's papers encoded before the clock starts, warm or not: compose for a few readers. */
async function encodePapers(): Promise<void> {
  const some = await database
    .selectFrom('subscribers')
    .select('id')
    .where('state', '=', 'active')
    .limit(200)
    .execute();
  const rows = some.map(({ id }) => ({
    id: -id as DigestId,
    editionDate: edition,
    subscriberId: id as SubscriberId,
    kind: 'daily' as const,
    content: chosenFor(id as SubscriberId),
    slotAt: now(),
    deadline: new Date(now().getTime() + 3_600_000),
    attempts: 0,
    leaseToken: 0,
  }));
  for (let i = 0; i < 5; i++) {
    const messages = [...(await composer.compose(rows)).values()].map((mail) => {
      if ('skip' in mail) throw new Error(`a digest was skipped: ${mail.skip}`);
      return rawOf(messageOf(mail));
    });
    octets = messages.reduce((sum, raw) => sum + raw.length, 0) / messages.length;
  }
}

const startWorkers = () =>
  queue.startWorkers(
    {
      'deliver-digests': async ({ editionDate, from, to }) =>
        void (await deliver({ editionDate: editionDate as typeof edition, from, to })),
      'deliver-notices': idle,
      plan: idle,
      sweep: idle,
      ingest: idle,
      embed: idle,
      upkeep: idle,
    },
    { concurrency: { digests: Number(values.concurrency) } },
  );

/** Plans an edition for `count` readers who are due, until all of them have it. */
async function deliverEdition(editionDate: IsoDate, count: number): Promise<void> {
  done = 0;
  await plan(editionDate);
  while (done < count && !(values.shared && (await allSent(editionDate, count))))
    await delay(values.shared ? 50 : 5);
}

await encodePapers();
let workers: Awaited<ReturnType<typeof startWorkers>> | undefined;
let warmRssMb = 0;
if (warm > 0) {
  workers = await startWorkers();
  warmRssMb = (await measured(warm, () => deliverEdition(addDays(edition, -1), warm))).rssMb;
  await waitForGo();
}
const deliverAll = async () => {
  workers ??= await startWorkers();
  const latencies: number[] = [];
  const delivering = deliverEdition(edition, readers);
  const probing = values.probe ? probe(latencies) : undefined;
  await delivering;
  await probing;
  latencies.sort((a, b) => a - b);
  return values.probe
    ? { probeP99Ms: latencies[Math.floor(latencies.length * 0.99)], probes: latencies.length }
    : {};
};
const run = () => measured(readers, deliverAll);
const { result, shares } = values.parts ? await profileParts(run) : { result: await run(), shares: {} };
await workers?.close(10_000);
await transport.close();
await queue.close();
await database.destroy();
rmSync(folder, { recursive: true });
const rssMb = Math.max(result.rssMb, warmRssMb);
console.log(JSON.stringify({ ...result, rssMb, octets: Math.round(octets), shares }));
