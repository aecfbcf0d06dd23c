import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import cliProgress from 'cli-progress';
import { extract } from 'letterparser';
import PostalMime from 'postal-mime';
import { createDigestComposer } from '#src/digests/compose.ts';
import { rawOf } from '#src/mail/content.ts';
import { displayText } from '#src/mail/display-text.ts';
import { LANGUAGES } from '#src/mail/languages.ts';
import { messageOf, type OutgoingMessage } from '#src/mail/message.ts';
import type { Paper } from '#src/papers/paper.ts';
import { corpusPapers, relevancePapers } from '#test/support/corpus.ts';
import { htmlFaults } from '#test/support/mail-html.ts';
import { has, type Judge, received, startRspamd, startSpamAssassin } from '#test/support/mail-judges.ts';
import * as samples from '#test/support/mail-samples.ts';
import { messageFaults } from '#test/support/message-faults.ts';

const HELP = `usage: npm run eval -- mails [--all] [--per-digest N] [--every N] [--limit N] [--json]

Puts every paper of the real data into a digest, in every language by turns, and checks each message: octets, headers and parts, HTML of 80 KB
at most, the same subject, text and HTML for three MIME parsers (postal-mime, letterparser, Python's email), every title in both parts,
and one in --every by html-validate, SpamAssassin and rspamd, where these are installed (what is not there is said).
  --all           the papers of the relevance judgments too
  --per-digest N  papers in a digest (10)
  --every N       how many digests to one that is judged by the slow ones (1: all)
  --limit N       stop after so many digests
`;

/** Filters mind an old date. */
const NOW = new Date();

/** The size the issue sets for ten papers, in octets; Gmail clips near 102 KB. */
const LARGEST_HTML = 80 * 1024;

type Options = {
  readonly all: boolean;
  readonly perDigest: number;
  readonly every: number;
  readonly limit: number;
  readonly json: boolean;
};

/** `npm run eval -- mails` */
export async function run(args: string[]): Promise<void> {
  const options = readOptions(args);
  if (!options) return void process.stdout.write(HELP);
  const judges = await startJudges();
  const folder = await mkdtemp(join(tmpdir(), 'paperboy-eval-'));
  const tally = newTally();
  const bar = new cliProgress.SingleBar({
    format: 'Digests {bar} {value}',
    clearOnComplete: true,
    noTTYOutput: false,
  });
  if (process.stderr.isTTY) bar.start(0, 0);
  try {
    for await (const papers of batches(options)) {
      await checkDigest(papers, tally, { judges, folder, slow: tally.digests % options.every === 0 });
      bar.setTotal(tally.digests);
      bar.update(tally.digests);
    }
    comparePython(folder, tally);
  } finally {
    bar.stop();
    for (const { judge } of judges) await judge.close();
    await rm(folder, { recursive: true, force: true });
  }
  report(tally, options.json);
  if (tally.faults.length > 0) process.exitCode = 1;
}

function readOptions(args: string[]): Options | null {
  const number = { type: 'string' } as const;
  const { values } = parseArgs({
    args,
    options: {
      all: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
      'per-digest': number,
      every: number,
      limit: number,
    },
  });
  if (values.help) return null;
  return {
    all: values.all ?? false,
    json: values.json ?? false,
    perDigest: Number(values['per-digest'] ?? 10),
    every: Number(values.every ?? 1),
    limit: Number(values.limit ?? Number.POSITIVE_INFINITY),
  };
}

type NamedJudge = { readonly name: string; readonly judge: Judge };

async function startJudges(): Promise<readonly NamedJudge[]> {
  const known = [
    ['SpamAssassin', 'spamassassin', startSpamAssassin],
    ['rspamd', 'rspamd', startRspamd],
  ] as const;
  const judges: NamedJudge[] = [];
  for (const [name, program, start] of known)
    if (has(program)) judges.push({ name, judge: await start() });
    else console.error(`no ${program} on this machine: nothing is said of ${name}`);
  return judges;
}

async function* batches({ all, perDigest, limit }: Options): AsyncIterable<readonly Paper[]> {
  let batch: Paper[] = [];
  let digests = 0;
  for (const source of all ? [corpusPapers(), relevancePapers()] : [corpusPapers()])
    for await (const paper of source) {
      batch.push(paper);
      if (batch.length < perDigest) continue;
      yield batch;
      batch = [];
      digests += 1;
      if (digests >= limit) return;
    }
  if (batch.length > 0) yield batch;
}

type Figures = {
  sum: number;
  largest: number;
  judged: number;
  readonly rules: Map<string, { hits: number; points: number }>;
};
type Tally = {
  digests: number;
  papers: number;
  validated: number;
  readonly html: number[];
  readonly faults: string[];
  readonly judged: Map<string, Figures>;
  /** What postal-mime read, by file, for the comparison with Python. */
  readonly read: Map<string, string>;
};

const newTally = (): Tally => ({
  digests: 0,
  papers: 0,
  validated: 0,
  html: [],
  faults: [],
  judged: new Map(),
  read: new Map(),
});

type Checking = { readonly judges: readonly NamedJudge[]; readonly folder: string; readonly slow: boolean };

async function checkDigest(
  papers: readonly Paper[],
  tally: Tally,
  { judges, folder, slow }: Checking,
): Promise<void> {
  const message = await compose(papers, tally.digests);
  const name = `${tally.digests}`;
  const fault = (what: string) =>
    tally.faults.push(`digest ${name} (papers from ${papers[0]?.identity}): ${what}`);
  messageFaults(message).forEach(fault);
  const octets = rawOf(message);
  const mail = await PostalMime.parse(octets);
  const { subject = '', text = '', html = '' } = mail;
  const other = extract(octets.toString('latin1'));
  if (other.subject !== subject || trim(other.text) !== trim(text) || trim(other.html) !== trim(html))
    fault('two parsers differ');
  if (mail.attachments.length > 0) fault('has attachments');
  if (Buffer.byteLength(html) > LARGEST_HTML) fault(`HTML of ${Buffer.byteLength(html)} octets`);
  if (/<(?:script|iframe|object|form|svg)|<[^>]+\son\w+=/i.test(html.replace(/"[^"]*"/g, '""')))
    fault('injected markup');
  const cut = !papers.every(({ title }) => oneLine(text).includes(oneLine(displayText(title))));
  // What does not fit is on the digest's page, and the mail says so.
  if (cut && papers.length <= 10) fault('a title is missing in the text part');
  tally.read.set(name, digestOf([subject, trim(text), trim(html)]));
  await writeFile(join(folder, name), octets);
  tally.html.push(Buffer.byteLength(html));
  tally.digests += 1;
  tally.papers += papers.length;
  if (!slow) return;
  tally.validated += 1;
  (await htmlFaults(html)).forEach(fault);
  const raw = received(octets, NOW);
  for (const { name: judgeName, judge } of judges) await addVerdict(tally, judgeName, judge, raw);
}

async function addVerdict(tally: Tally, name: string, { judge }: Judge, raw: Buffer): Promise<void> {
  const { score, rules } = await judge(raw);
  const figures = tally.judged.get(name) ?? {
    sum: 0,
    largest: Number.NEGATIVE_INFINITY,
    judged: 0,
    rules: new Map(),
  };
  tally.judged.set(name, figures);
  figures.sum += score;
  figures.largest = Math.max(figures.largest, score);
  figures.judged += 1;
  for (const [rule, points] of Object.entries(rules)) {
    const known = figures.rules.get(rule);
    figures.rules.set(rule, {
      hits: (known?.hits ?? 0) + 1,
      points: Math.max(points, known?.points ?? points),
    });
  }
}

async function compose(papers: readonly Paper[], number: number): Promise<OutgoingMessage> {
  const language = LANGUAGES[number % LANGUAGES.length] as string;
  const reader = samples.sampleRecipient({ language, images: true, sections: number % 2 === 1 });
  const composer = createDigestComposer({
    papersByIds: samples.papersByIds(papers),
    recipientsByIds: samples.recipientsByIds([reader]),
    links: samples.openLinks,
    sender: samples.sender,
    now: () => NOW,
  });
  const row = samples.sampleDigest(papers, { slotAt: NOW, deadline: new Date(NOW.getTime() + 86_400_000) });
  const result = (await composer.compose([row])).get(row.id);
  if (!result || 'skip' in result) throw new Error(`digest ${number} was not composed`);
  return messageOf(result);
}

const trim = (text = '') => text.replace(/\r\n/g, '\n').trim();
const oneLine = (text: string) => text.replace(/\s+/g, ' ');
const digestOf = (texts: readonly string[]) => createHash('sha256').update(texts.join('\0')).digest('hex');

/** Python's email package, as far from postal-mime as a parser can be. */
const PYTHON = `
import sys, os, hashlib, email, email.policy
for name in os.listdir(sys.argv[1]):
    with open(os.path.join(sys.argv[1], name), 'rb') as file: mail = email.message_from_binary_file(file, policy=email.policy.default)
    part = lambda kind: mail.get_body((kind,)).get_content().replace('\\r\\n', '\\n').strip()
    print(name, hashlib.sha256('\\0'.join([str(mail['subject']), part('plain'), part('html')]).encode()).hexdigest())
`;

function comparePython(folder: string, tally: Tally): void {
  const { error, stdout, stderr } = spawnSync('python3', ['-c', PYTHON, folder], {
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  if (error) return console.error('no python3 on this machine: two parsers compared, not three');
  if (stderr) tally.faults.push(`Python: ${stderr.slice(0, 500)}`);
  for (const line of stdout.trim().split('\n')) {
    const [name = '', hash] = line.split(' ');
    if (tally.read.get(name) !== hash) tally.faults.push(`digest ${name}: Python reads it differently`);
  }
}

function report(tally: Tally, json: boolean): void {
  const sizes = tally.html.toSorted((one, other) => one - other);
  const at = (share: number) => Math.round((sizes[Math.floor(share * (sizes.length - 1))] ?? 0) / 1024);
  const judged = [...tally.judged].map(([name, { sum, largest, judged: count, rules }]) => ({
    name,
    judged: count,
    mean: Number((sum / count).toFixed(3)),
    largest: Number(largest.toFixed(3)),
    rules: Object.fromEntries([...rules].filter(([, { points }]) => points > 0)),
  }));
  const result = {
    digests: tally.digests,
    papers: tally.papers,
    validated: tally.validated,
    htmlKiB: { least: at(0), median: at(0.5), largest: at(1) },
    faults: tally.faults,
    judged,
  };
  if (json) {
    console.log(JSON.stringify(result, null, 2));
    return;
  }
  console.log(
    `${result.digests} digests of ${result.papers} papers; HTML ${at(0)}–${at(1)} KiB, median ${at(0.5)}; ${result.validated} through html-validate`,
  );
  for (const { name, judged: count, mean, largest, rules } of judged) {
    console.log(`${name}: ${count} judged, mean ${mean}, largest ${largest} points; rules with points:`);
    for (const [rule, { hits, points }] of Object.entries(rules))
      console.log(`  ${rule}: ${hits} (${points})`);
  }
  console.log(`${tally.faults.length} faults`);
  for (const each of tally.faults.slice(0, 50)) console.log(`  ${each}`);
}
