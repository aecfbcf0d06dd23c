import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { DigestId, IsoDate, PaperId, SubscriberId } from '#src/database/ids.ts';
import { createDigestComposer, type DigestComposer } from '#src/digests/compose.ts';
import type { ClaimedDigest } from '#src/digests/digest.ts';
import { rawOf } from '#src/mail/content.ts';
import { messageOf } from '#src/mail/message.ts';
import type { Sender } from '#src/mail/sender.ts';
import { wireOctets } from '#src/mail/smtp-wire.ts';
import type { Reason } from '#src/matching/types.ts';
import type { Paper } from '#src/papers/paper.ts';
import { createLinks } from '#src/subscribers/links.ts';
import type { Recipient } from '#src/subscribers/subscriber.ts';
import { createTokens } from '#src/subscribers/tokens.ts';

const HELP = `usage: npm run bench -- compose [--readers N] [--rounds N] [--json]

Composes digests of ten papers for made-up readers, others in every round, and prints messages per second and core, beside, in the same run,
  join     one Buffer.concat of the same octets per message, cut into as many pieces as the message has papers and parts
  copy     the same pieces copied into memory that is kept, where composed messages are written too
  compiled the compiled template filled afresh for every message, nothing kept
  mjml     mjml2html on a message's worth of MJML
The figures are medians of rounds. A round has some thousand messages, since their memory has to be collected too: fewer may meet no collection.
`;

const PAPERS = 400;
const PER_DIGEST = 10;
const TOPICS = 30;
const WINDOW = 100;
const EDITION = '2026-06-03' as IsoDate;
const NOW = new Date('2026-06-03T05:00:00Z');
const sender: Sender = {
  name: 'Paperboy',
  address: 'digest@paperboy.example',
  bounceAddress: 'bounces@paperboy.example',
  homeUrl: 'https://paperboy.example',
  operator: 'Example Lab',
  postalAddress: '1 Example Street, 12345 Example',
  key: randomBytes(32),
};

/** `npm run bench -- compose` */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      readers: { type: 'string', default: '4000' },
      rounds: { type: 'string', default: '7' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const report = await measure(Number(values.readers), Number(values.rounds));
  if (values.json) return console.log(JSON.stringify(report, null, 2));
  console.table(report.rates);
  console.log(
    `octets per message: ${report.octets}; of its HTML: ${report.htmlOctets}, largest ${report.largestHtml}`,
  );
  console.log(
    `messages/s ÷ join's: ${report.ratioToJoin.toFixed(2)} · ÷ copy's: ${report.ratioToCopy.toFixed(2)} · ÷ mjml2html's: ${report.ratioToMjml.toFixed(0)}`,
  );
}

export async function measure(readers: number, rounds: number) {
  const papers = Array.from({ length: PAPERS }, (_, index) => paper(index + 1));
  const rowsOf = (round: number) =>
    Array.from({ length: readers }, (_, index) => row(round * readers + index + 1));
  const composer = createComposer(papers);
  const messages = [...(await composer.compose(rowsOf(0).slice(0, 500))).values()].map((composed) => {
    if ('skip' in composed) throw new Error(`skipped: ${composed.skip}`);
    return rawOf(messageOf(composed));
  });
  const pieces = messages.map((raw) => cut(raw, 2 * PER_DIGEST + 5));
  const times = {
    compose: [] as number[],
    join: [] as number[],
    copy: [] as number[],
    compiled: [] as number[],
    mjml: [] as number[],
  };
  for (let round = 0; round < rounds; round++) {
    // Nothing that was kept for a reader helps: they are others in each round.
    const fresh = rowsOf(round + 1);
    times.join.push(await perMessage(readers, () => join(pieces, readers)));
    times.copy.push(await perMessage(readers, () => copy(pieces, readers)));
    times.compose.push(await perMessage(readers, () => inWindows(fresh, composer.compose)));
  }
  await measureRendering(papers, rounds, times);
  const micros = Object.fromEntries(
    Object.entries(times).map(([name, all]) => [name, median(all)]),
  ) as Record<keyof typeof times, number>;
  const html = messages.map((raw) => raw.length - raw.indexOf('<!DOCTYPE'));
  return {
    rates: Object.fromEntries(
      Object.entries(micros).map(([name, each]) => [
        name,
        {
          'CPU µs per message': Math.round(each * 10) / 10,
          'least of the rounds': Math.round(Math.min(...times[name as keyof typeof times]) * 10) / 10,
          'messages/s and core': Math.round(1e6 / each),
        },
      ]),
    ),
    ratioToJoin: micros.join / micros.compose,
    ratioToCopy: micros.copy / micros.compose,
    ratioToMjml: micros.mjml / micros.compose,
    octets: median(messages.map((raw) => raw.length)),
    htmlOctets: median(html),
    largestHtml: Math.max(...html),
  };
}

/** What it costs to keep nothing. After all else: MJML fills a heap that has to be marked by every collection of garbage. */
async function measureRendering(
  papers: readonly Paper[],
  rounds: number,
  times: { readonly compiled: number[]; readonly mjml: number[] },
): Promise<void> {
  const { default: mjml } = await import('mjml');
  const source = await messageOfMjml();
  const few = Array.from({ length: 50 }, (_, index) => row(index + 1));
  for (let round = 0; round < rounds; round++) {
    times.compiled.push(await perMessage(few.length, () => composeEachAfresh(papers, few)));
    times.mjml.push(
      await perMessage(3, async () => {
        for (let i = 0; i < 3; i++) await mjml(source);
      }),
    );
  }
}

/** As the deliverer and its connections do: a window of rows at a time, each message written when its turn comes. */
async function inWindows(rows: readonly ClaimedDigest[], compose: DigestComposer['compose']): Promise<void> {
  for (let from = 0; from < rows.length; from += WINDOW)
    for (const message of (await compose(rows.slice(from, from + WINDOW))).values())
      if (!('skip' in message)) wireOctets(messageOf(message), false, '').release();
}

/** The yardstick, `count` times, in the same windows. */
function join(messages: readonly Buffer[][], count: number): void {
  for (let done = 0; done < count; done += WINDOW) {
    const from = done % messages.length;
    messages.slice(from, from + WINDOW).map((pieces) => Buffer.concat(pieces));
  }
}

const kept = Buffer.allocUnsafeSlow(1 << 20);

/** The least that can be done with the same octets, `count` times. */
function copy(messages: readonly Buffer[][], count: number): void {
  for (let done = 0; done < count; done += 1) {
    let end = 0;
    for (const piece of messages[done % messages.length] ?? []) {
      kept.set(piece, end);
      end += piece.length;
    }
  }
}

/** CPU microseconds (user and system, all threads) per message: other work on the machine does not count. */
async function perMessage(count: number, work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

function cut(raw: Buffer, count: number): Buffer[] {
  const size = Math.ceil(raw.length / count);
  return Array.from({ length: count }, (_, index) =>
    Buffer.from(raw.subarray(index * size, (index + 1) * size)),
  );
}

export function createComposer(papers: readonly Paper[]) {
  const byId = new Map(papers.map((each) => [each.id, each]));
  const links = createLinks({
    baseUrl: 'https://paperboy.example',
    tokens: createTokens({ secret: 'a secret for a benchmark, long enough' }),
  });
  return createDigestComposer({
    papersByIds: async () => byId,
    recipientsByIds: async (ids) => new Map(ids.map((id) => [id, recipient(id)])),
    links,
    sender,
    now: () => NOW,
  });
}

/** A composer that has kept nothing, for every message. */
async function composeEachAfresh(papers: readonly Paper[], rows: readonly ClaimedDigest[]): Promise<void> {
  for (const each of rows) await createComposer(papers).compose([each]);
}

/** A digest's worth of MJML, as it would be if each message were rendered: ten papers of the template's paper section. */
async function messageOfMjml(): Promise<string> {
  const source = await readFile(new URL('../templates/digest.mjml', import.meta.url), 'utf8');
  const section =
    /<mj-raw>\{\{#paper\}\}<\/mj-raw>([\s\S]*?)<mj-raw>\{\{\/paper\}\}<\/mj-raw>/.exec(source)?.[1] ?? '';
  return source.replace('<mj-raw>{{papers}}</mj-raw>', section.repeat(PER_DIGEST));
}

const WORDS =
  'we show that models of this kind learn from less data when the loss is changed and the noise is small enough for them'.split(
    ' ',
  );

export function paper(id: number): Paper {
  const abstract = Array.from(
    { length: 170 },
    (_, index) => WORDS[(index * 7 + id) % WORDS.length] + (index % 17 === 16 ? '. Then' : ''),
  ).join(' ');
  const arxivId = `2606.${String(id).padStart(5, '0')}`;
  return {
    id: id as PaperId,
    identity: `arxiv:${arxivId}`,
    arxivId,
    doi: null,
    title: `On Learning ${WORDS[id % WORDS.length]} and ${WORDS[(id * 3) % WORDS.length]} from Few Examples with Diffusion, Part ${id}`,
    abstract,
    authors: ['Ada Example', 'Ben Sample', 'Chi Muster', 'Dag Prøve'],
    categories: ['cs.LG', 'cs.CL'],
    organisation: id % 3 === 0 ? 'Example Lab' : null,
    keywords: [],
    publishedAt: NOW,
    url: null,
    pdfUrl: null,
    codeUrl: id % 2 === 0 ? `https://github.com/example/${id}` : null,
    projectUrl: null,
    thumbnailUrl: null,
    firstListedOn: EDITION,
    withdrawnAt: null,
    upvotes: id % 50,
    comments: id % 4,
    license: null,
    githubStars: null,
  };
}

function recipient(id: number): Recipient {
  return {
    id: id as SubscriberId,
    publicId: `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`,
    email: `reader${id}@example.org`,
    state: 'active',
    language: 'en',
    timezone: 'Europe/Berlin',
    linkEpoch: 0,
    sections: false,
    images: false,
  };
}

/** Ten of the papers, each for a topic out of thirty and one of a few terms: readers share what they follow. */
export function row(id: number): ClaimedDigest {
  const paperIds = Array.from(
    { length: PER_DIGEST },
    (_, index) => (((id * 31 + index * 37) % PAPERS) + 1) as PaperId,
  );
  return {
    id: id as DigestId,
    editionDate: EDITION,
    subscriberId: id as SubscriberId,
    kind: 'daily',
    content: { paperIds, reasons: paperIds.map((paperId) => reasonsFor(paperId, id)), candidates: PAPERS },
    slotAt: NOW,
    deadline: new Date('2026-06-05T00:00:00Z'),
    attempts: 0,
    leaseToken: 1,
  };
}

function reasonsFor(paperId: number, reader: number): Reason[] {
  const topic = (paperId + (reader % 3)) % TOPICS;
  return [
    {
      type: 'follow',
      topic: { kind: 'topic', value: `topic-${topic}` },
      name: `Topic number ${topic}`,
      terms: [`term ${paperId % 5}`],
      weight: 1 / reader,
    },
    ...(paperId % 4 === 0 ? [{ type: 'trending', fill: false, weight: 0.1 } as const] : []),
  ];
}
