import { setImmediate as otherWork } from 'node:timers/promises';
import type { DigestId, IsoDate, PaperId, SubscriberId } from '#src/database/ids.ts';
import { createCache } from '#src/mail/cache.ts';
import { type BlockFor, createDigestWriter, type DigestWriter } from '#src/mail/digest-mail.ts';
import { digestMessage } from '#src/mail/digest-message.ts';
import type { CoverageView, DigestView, PaperBlock } from '#src/mail/digest-view.ts';
import type { Sign } from '#src/mail/dkim.ts';
import { mailableAddress } from '#src/mail/header.ts';
import { LANGUAGES, localeOf } from '#src/mail/languages.ts';
import type { ReaderLinks, ReaderTokens } from '#src/mail/links.ts';
import type { Draft, Mail } from '#src/mail/message.ts';
import type { Sender } from '#src/mail/sender.ts';
import { loadTemplates } from '#src/mail/templates.ts';
import type { Paper } from '#src/papers/paper.ts';
import type { Recipient } from '#src/subscribers/subscriber.ts';
import type { ClaimedDigest, SkipReason } from './digest.ts';
import { createFreshCache, type FreshCache } from './fresh-cache.ts';
import { paperView } from './paper-view.ts';

/** A digest, or why there is none. */
export type Composed = Mail | { readonly skip: SkipReason };

/** Composes the messages of claimed ledger rows. */
export type DigestComposer = {
  /**
   * One entry for every row. Papers and readers are read once for all rows; what is frozen in a row's content is what it shows. A digest is
   * put together when its connection asks for it, or here where it must be signed.
   */
  compose(rows: readonly ClaimedDigest[]): Promise<Map<DigestId, Composed>>;
  /**
   * The digest as an HTML document for the web ("view in browser"), or why there is none. Deadline and state do not matter here.
   * @param at the sources are told of as they were then
   */
  page(row: ClaimedDigest, at: Date): Promise<string | { readonly skip: SkipReason }>;
};

/** What a {@link DigestComposer} needs. */
export type DigestComposerDependencies = {
  /** Papers by id; unknown ids are left out. */
  readonly papersByIds: (ids: readonly PaperId[]) => Promise<ReadonlyMap<PaperId, Paper>>;
  /** Readers by id; erased ones may be left out. */
  readonly recipientsByIds: (ids: readonly SubscriberId[]) => Promise<ReadonlyMap<SubscriberId, Recipient>>;
  /** The links of all readers, open, and the tokens of one that belong into them. */
  readonly links: {
    readonly open: ReaderLinks;
    tokensOf(recipient: Recipient): ReaderTokens;
  };
  readonly sender: Sender;
  readonly now: () => Date;
  /** DKIM; without it messages go out unsigned (the relay may sign). */
  readonly sign?: Sign;
  /** What an edition was made of, where it is known. */
  readonly coverageOf?: (date: IsoDate, at: Date) => Promise<CoverageView | null>;
};

/** Creates a {@link DigestComposer}. One per process: it holds the encoded blocks. */
export function createDigestComposer(dependencies: DigestComposerDependencies): DigestComposer {
  const blocks = createBlockCache();
  let writer: Promise<DigestWriter> | undefined;
  const load = () =>
    (writer ??= loadTemplates('digest').then((templates) =>
      createDigestWriter({ sender: dependencies.sender, links: dependencies.links.open, templates }),
    ));
  const sources = createSources(dependencies);
  const read = (rows: readonly ClaimedDigest[]) => readBatch(rows, sources);
  return {
    compose: async (rows) => {
      const context = { ...dependencies, blocks, writer: await load(), batch: await read(rows) };
      const now = dependencies.now();
      const drafts = new Map(rows.map((row) => [row.id, draftOf(row, context, now)]));
      return dependencies.sign ? signAll(drafts, dependencies.sign) : drafts;
    },
    page: async (row, at) => {
      const { editionDate } = row;
      const coverage = new Map([[editionDate, (await dependencies.coverageOf?.(editionDate, at)) ?? null]]);
      const batch = { ...(await read([row])), coverage };
      const context = { ...dependencies, blocks, writer: await load(), batch };
      const recipient = context.batch.recipients.get(row.subscriberId);
      if (!recipient) return { skip: 'address-gone' };
      const skip = nothingToShow(row, batch.papers);
      return skip ? { skip } : context.writer.page(digestView(row, recipient, context));
    },
  };
}

type Batch = {
  readonly papers: ReadonlyMap<PaperId, Paper>;
  readonly recipients: ReadonlyMap<SubscriberId, Recipient>;
  readonly coverage: ReadonlyMap<IsoDate, CoverageView | null>;
};

type Context = DigestComposerDependencies & {
  readonly blocks: BlocksOf;
  readonly writer: DigestWriter;
  readonly batch: Batch;
};

/** Where a batch is read from; papers and coverage are asked for again only when they are half a minute old. */
type Sources = Pick<DigestComposerDependencies, 'recipientsByIds'> & {
  readonly papersByIds: FreshCache<PaperId, Paper>;
  readonly coverageByDates: FreshCache<IsoDate, CoverageView | null>;
};

/** A paper that is withdrawn is left out of what is composed this much later, in milliseconds. */
const FRESH_MS = 30_000;
const PAPERS_KEPT = 20_000;

function createSources(dependencies: DigestComposerDependencies): Sources {
  const { papersByIds, recipientsByIds, coverageOf = async () => null, now } = dependencies;
  const options = { now, keepMs: FRESH_MS, limit: PAPERS_KEPT };
  const readCoverage = async (dates: readonly IsoDate[]) =>
    new Map(await Promise.all(dates.map(async (date) => [date, await coverageOf(date, now())] as const)));
  return {
    recipientsByIds,
    papersByIds: createFreshCache(papersByIds, options),
    coverageByDates: createFreshCache(readCoverage, options),
  };
}

async function readBatch(rows: readonly ClaimedDigest[], sources: Sources): Promise<Batch> {
  const [papers, recipients, coverage] = await Promise.all([
    sources.papersByIds([...papersOf(rows)]),
    sources.recipientsByIds([...new Set(rows.map((row) => row.subscriberId))]),
    sources.coverageByDates([...new Set(rows.map((row) => row.editionDate))]),
  ]);
  return { papers, recipients, coverage };
}

function papersOf(rows: readonly ClaimedDigest[]): Set<PaperId> {
  const ids = new Set<PaperId>();
  for (const { content } of rows) for (const id of content.paperIds) ids.add(id);
  return ids;
}

/**
 * So many messages are composed to be signed before connections get their turn again: a relay must not run dry meanwhile, and has no more
 * than one message of each connection.
 */
const SLICE = 8;

/** Side by side: signatures are made on other threads. */
async function signAll(drafts: ReadonlyMap<DigestId, Drafted>, sign: Sign): Promise<Map<DigestId, Composed>> {
  const signing: Promise<readonly [DigestId, Composed]>[] = [];
  for (const [id, draft] of drafts) {
    const signed = signOne(id, draft, sign);
    // A fault is met below, with all of them.
    signed.catch(() => undefined);
    signing.push(signed);
    if (signing.length % SLICE === 0) await otherWork();
  }
  return new Map(await Promise.all(signing));
}

const signOne = async (id: DigestId, draft: Drafted, sign: Sign) =>
  [id, 'skip' in draft ? draft : await sign(draft.compose())] as const;

type Drafted = Draft | { readonly skip: SkipReason };

function draftOf(row: ClaimedDigest, context: Context, now: Date): Drafted {
  const { batch, sender, writer } = context;
  const recipient = batch.recipients.get(row.subscriberId);
  if (now > row.deadline) return { skip: 'past-deadline' };
  const to = recipient?.email ? mailableAddress(recipient.email) : null;
  if (!recipient || to === null) return { skip: 'address-gone' };
  const skip = stateToSkip(recipient) ?? nothingToShow(row, batch.papers);
  if (skip) return { skip };
  return {
    to,
    compose: () => {
      const address = { email: to, publicId: recipient.publicId, digestId: row.id };
      return digestMessage(digestView(row, recipient, context), address, {
        sender,
        writer,
        date: context.now(),
      });
    },
  };
}

function stateToSkip({ state }: Recipient): SkipReason | null {
  if (state === 'paused') return 'paused';
  return state === 'active' ? null : 'unsubscribed';
}

/** Why there is no digest, where none of its papers is left. */
function nothingToShow({ kind, content }: ClaimedDigest, papers: Batch['papers']): SkipReason | null {
  if (kind === 'nothing' || content.paperIds.some((id) => isShown(papers.get(id)))) return null;
  return content.paperIds.length === 0 ? 'no-papers' : 'all-withdrawn';
}

const isShown = (paper: Paper | undefined): paper is Paper => paper !== undefined && !paper.withdrawnAt;

function digestView(row: ClaimedDigest, recipient: Recipient, context: Context): DigestView {
  const { paperIds, reasons, candidates, had = null } = row.content;
  const locale = localeOf(recipient.language);
  const blockOf = context.blocks(
    { editionDate: row.editionDate, locale, images: recipient.images },
    context.writer,
  );
  const papers: DigestView['papers'][number][] = [];
  for (let index = 0; index < paperIds.length; index++) {
    const paper = context.batch.papers.get(paperIds[index] as PaperId);
    if (isShown(paper)) papers.push({ block: blockOf(paper), reasons: reasons[index] ?? [] });
  }
  return {
    kind: row.kind,
    editionDate: row.editionDate,
    slotAt: row.slotAt,
    locale,
    timezone: recipient.timezone,
    tokens: context.links.tokensOf(recipient),
    papers: row.kind === 'nothing' ? [] : papers,
    candidates,
    had,
    sections: recipient.sections,
    withdrawn: paperIds.length - papers.length,
    coverage: context.batch.coverage.get(row.editionDate) ?? null,
  };
}

/** Encodes the papers of one edition in one language, with or without pictures; each once. */
type BlocksOf = (options: BlockFor, writer: DigestWriter) => (paper: Paper) => PaperBlock;

/** Editions whose blocks are kept, times languages, times two: time zones make two or three editions current at once. */
const SETS_KEPT = 4 * LANGUAGES.length * 2;

/** Paper blocks, encoded once per edition, language and with or without picture. */
function createBlockCache(): BlocksOf {
  const sets = createCache<Map<PaperId, PaperBlock>>(SETS_KEPT);
  return (options, writer) => {
    const { editionDate, locale, images } = options;
    const blocks = sets(`${editionDate} ${locale.language} ${images}`, () => new Map());
    return (paper) => {
      let block = blocks.get(paper.id);
      if (!block) blocks.set(paper.id, (block = writer.block(paperView(paper), options)));
      return block;
    };
  };
}
