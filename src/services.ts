import type { Config } from './config.ts';
import { type Database, pingDatabase } from './database/database.ts';
import {
  addDays,
  type IsoDate,
  type NoticeId,
  type PaperId,
  type SubscriberId,
  utcDate,
} from './database/ids.ts';
import { createCandidates, remembered } from './digests/candidates.ts';
import { createDigestComposer } from './digests/compose.ts';
import { findDigest } from './digests/digest-view-store.ts';
import { createEditionStore } from './digests/edition-store.ts';
import { createEmbeddingStore } from './digests/embeddings/embedding-store.ts';
import { createEmbeddings, type EmbeddingsService } from './digests/embeddings/embeddings.ts';
import { createLedger } from './digests/ledger.ts';
import { createNoteCoverage } from './digests/note-coverage.ts';
import { createPlanner } from './digests/plan.ts';
import { profilesOf } from './digests/profiles.ts';
import { createStatistics, fitInThread, type StatisticsService } from './digests/refit-statistics.ts';
import { createRemindersOf } from './digests/reminders.ts';
import { createStatisticsStore } from './digests/statistics-store.ts';
import { createNoticeComposer } from './mail/notice-mail.ts';
import { type ClaimedNotice, createNoticeStore } from './mail/notice-store.ts';
import { previewMessages } from './mail/preview/messages.ts';
import { createSuppressionStore } from './mail/suppression-store.ts';
import { indexInSteps } from './matching/index-candidates.ts';
import { inSlices } from './matching/steps.ts';
import type { MatchingPaper } from './matching/types.ts';
import { createCatchingUp } from './papers/catching-up.ts';
import { coverageView } from './papers/coverage.ts';
import { createDueCoverage, createEditionCoverage, createLatestSlot } from './papers/edition-coverage.ts';
import type { Paper } from './papers/paper.ts';
import { createPaperStore, type PaperStore } from './papers/paper-store.ts';
import { lastPolls, sourceStatuses } from './papers/poll.ts';
import type { SourceMemory } from './papers/source.ts';
import { createSourceMemory } from './papers/source-memory-store.ts';
import { trend } from './papers/trend.ts';
import type { JobQueue } from './queue/jobs.ts';
import { senderOf } from './sender.ts';
import { signerOf } from './signer.ts';
import { addressPolicy } from './subscribers/address.ts';
import { claimDue, claimOne, setNextDigestAt } from './subscribers/due-store.ts';
import { markedPapers, markReminded, putAside } from './subscribers/feedback-store.ts';
import { createSubscribers } from './subscribers/lifecycle.ts';
import { createLinks } from './subscribers/links.ts';
import { createTakesMail } from './subscribers/mail-domain.ts';
import { noticeLinks } from './subscribers/notice-links.ts';
import { listSubscribers, publicIds, recipientsByIds } from './subscribers/subscriber-store.ts';
import { createTokens } from './subscribers/tokens.ts';
import { DEFAULT_CAPS } from './subscribers/work-off-requests.ts';
import { createCatalogueEdits } from './topics/catalogue-edit-store.ts';
import { rankedTextOf } from './topics/query/parse.ts';
import { createTopicStore, type TopicStore } from './topics/topic-store.ts';
import { createApiKeys } from './web/api/api-key-store.ts';
import { createIdempotencyStore } from './web/api/idempotency-store.ts';
import { archiveOf } from './web/archive-store.ts';
import { createDayViews } from './web/day-store.ts';
import type { WebDependencies } from './web/dependencies.ts';
import { createPaperViews } from './web/paper-views.ts';
import { createPreview } from './web/preview.ts';

/** What the services stand on: opened elsewhere (backing.ts), closed by whoever opened it. */
export type Foundations = {
  readonly config: Config;
  readonly database: Database;
  /** Signs links, keys hashes. */
  readonly secret: string;
  /** Address of the pages, for the links in mails. */
  readonly baseUrl: string;
  readonly queue: JobQueue;
  readonly now: () => Date;
};

/** Every store and use case of the service, wired. */
export type Services = ReturnType<typeof createServices>;

/** The sentence beside the subscribe button, kept with every confirmation. */
export const CONSENT_TEXT =
  'Send me a digest of research papers by e-mail. I can change what I get or leave with one click in every mail.';

const CONFIRMATION_HOURS = 48;
/** Of subscribers added without one. */
const DEFAULT_SCHEDULE = { timezone: 'UTC', hour: 7 };

/** Wires stores and use cases. Nothing is opened or started here. */
export function createServices(on: Foundations) {
  const { config, database, secret, queue, now } = on;
  const tokens = createTokens({ secret });
  const links = createLinks({ baseUrl: on.baseUrl, tokens });
  const topics = createTopicStore({ database });
  const papers = createPaperStore({ database });
  const notices = createNoticeStore({ database, now });
  const suppressions = createSuppressionStore({ hashKey: secret });
  const ledger = createLedger({ database, now });
  const editions = createEditionStore({ database });
  const sender = senderOf(config, on.baseUrl, secret);

  const statistics = createStatistics({ store: createStatisticsStore({ database }), now, fit: fitInThread });
  const expected = { sources: config.papers.sources, arxivCategories: config.papers.arxivCategories };
  const editionCoverage = createEditionCoverage({ database, expected });
  const memory = createSourceMemory({ database });
  const embeddings = wireEmbeddings(on, { papers, topics, statistics, memory });
  const ranked = { papers, topics, editions, statistics, editionCoverage, embeddings };
  const editionIndex = wireCandidates(on, ranked);
  const remindersOf = createRemindersOf({
    putAside,
    papersByIds: async (ids) => (await papers.papersByIds(ids)).map((paper) => toMatching(paper, 0)),
    catalogue: topics.catalogue,
  });
  const noteCoverage = createNoteCoverage({ editions, coverageOf: editionCoverage });
  const patienceMs = config.papers.patienceMinutes * 60_000;
  const isCatchingUp = createCatchingUp({ lastPolls: () => lastPolls({ memory }, config.papers.sources) });
  const latestSlot = createLatestSlot({ database, expected, patienceMs, isCatchingUp });
  const planner = createPlanner({
    database,
    now,
    queue,
    deadlineHours: config.digests.deadlineHours,
    editionIndex,
    // Readers whose hour came while a source is late stay due until it is there, or patience is over.
    claimDue: async (tx, at, limit) => claimDue(tx, await latestSlot(at), limit),
    claimOne,
    setNextDigestAt,
    remindersOf,
    markReminded,
    profilesOf: (db, readers) => profilesOf(topics, db, readers),
    seenPapers: ledger.seenPapers,
    writeDigests: ledger.insert,
  });

  const enqueueNotices = (ids: readonly NoticeId[]) => queue.add('deliver-notices', { ids: [...ids] });
  const policy = addressPolicy(config.web);
  const subscribers = createSubscribers({
    database,
    secret,
    tokens,
    now,
    enqueueNotices,
    suppressions,
    follows: topics,
    planNotices: notices.plan,
    // Should it fail, what the reader did stays done: the planner's beat sends the first digest a little later.
    planWelcome: async (id) => void (await planner.planNow(id).catch(() => undefined)),
    caps: DEFAULT_CAPS,
    policy,
    ...(config.web.checkMx ? { takesMail: createTakesMail() } : {}),
    consentText: CONSENT_TEXT,
    confirmationHours: CONFIRMATION_HOURS,
  });

  const signer = signerOf(config, now);
  const signed = signer ? { sign: signer } : {};
  const digestComposer = createDigestComposer({
    ...signed,
    papersByIds: async (ids) => byId(await papers.papersByIds(ids)),
    recipientsByIds: (ids) => recipientsByIds(database, ids),
    links,
    coverageOf: async (date, at) => coverageView(await editionCoverage(date, at)),
    sender,
    now,
  });
  const noticeComposer = createNoticeComposer({ ...signed, sender, now });
  const composeNotice = async (claimed: ClaimedNotice) => {
    const { id, notice, email, language } = claimed;
    const found = await noticeLinks({ database, links, now }, claimed);
    return noticeComposer.compose({ id, notice, email, language, links: found });
  };

  const digestHtml = async (id: SubscriberId, date: IsoDate) => {
    const row = await findDigest(database, id, date);
    if (!row || row.skipReason) return null;
    const page = await digestComposer.page({ ...row, leaseToken: 0 }, row.handedOverAt ?? now());
    return typeof page === 'string' ? page : null;
  };
  const views = createPaperViews({ database, papers, now });
  const preview = createPreview({
    editionIndex,
    remindersOf: (readers, profiles) => remindersOf(database, readers, profiles, now()),
    now,
    feedbackOf: subscribers.feedbackOf,
    papersByIds: views.byIds,
    seenPapers: async (id, since) => (await ledger.seenPapers(database, [id], since)).get(id) ?? new Set(),
  });
  const dueCoverage = createDueCoverage({ database, expected });
  const statuses = async () => [
    ...(await sourceStatuses({ memory, now, dueCoverage }, config.papers.sources)),
    ...(embeddings ? [await embeddings.status()] : []),
  ];
  const idempotency = createIdempotencyStore({ database });
  const webDependencies: WebDependencies = {
    api: {
      ...createCatalogueEdits({ database }),
      keys: createApiKeys({ database, now }),
      idempotency,
      putListings: papers.put,
      listSubscribers: (page) => listSubscribers(database, page),
      publicIds: (ids) => publicIds(database, ids),
      lineContext: { policy, defaults: DEFAULT_SCHEDULE },
    },
    views,
    preview,
    archive: (id, limit) => archiveOf(database, id, limit),
    archiveDays: config.digests.ledgerDays,
    subscribers,
    tokens,
    links,
    now,
    digestHtml,
    days: createDayViews({ database, papers, now }),
    sourceStatuses: statuses,
    catalogue: topics.catalogue,
    papersByIds: papers.papersByIds,
    ...(config.mail.kind === 'mailbox'
      ? { mailPreviews: () => previewMessages({ ...signed, sender, now }) }
      : {}),
    ping: () => pingDatabase(database),
  };

  return {
    webDependencies,
    idempotency,
    tokens,
    links,
    topics,
    papers,
    notices,
    suppressions,
    ledger,
    editions,
    noteCoverage,
    statistics,
    embeddings,
    editionIndex,
    sourceStatuses: statuses,
    now,
    planner,
    subscribers,
    digestComposer,
    composeNotice,
    consentText: CONSENT_TEXT,
  };
}

const byId = (papers: readonly Paper[]): Map<PaperId, Paper> =>
  new Map(papers.map((paper) => [paper.id, paper]));

/** The index of an edition: candidates with their trend, and the papers that readers marked as context. */
function wireCandidates(
  { config, database, now }: Foundations,
  stores: {
    papers: PaperStore;
    topics: TopicStore;
    editions: ReturnType<typeof createEditionStore>;
    statistics: StatisticsService;
    editionCoverage: ReturnType<typeof createEditionCoverage>;
    embeddings: EmbeddingsService | undefined;
  },
) {
  const withTrend = async (found: readonly Paper[], at: Date): Promise<MatchingPaper[]> => {
    const signals = await stores.papers.signalsOf(
      found.map((paper) => paper.id),
      at,
    );
    const names = await stores.papers.otherNamesOf(found.map((paper) => paper.id));
    return found.map((paper) => ({
      ...toMatching(paper, trend(signals.get(paper.id) ?? [], paper, at)),
      names: names.get(paper.id) ?? [],
    }));
  };
  return createCandidates({
    editions: stores.editions,
    coverageOf: stores.editionCoverage,
    version: async () => {
      const { papers, statistics, embeddings } = stores;
      return [await papers.version(), await statistics.version(), await embeddings?.version()].join(' ');
    },
    candidatesOf: async (on, at) => {
      // An evening in America is tomorrow in UTC: what is listed there already is news to its readers too.
      const until = on > utcDate(at) ? on : utcDate(at);
      const request = { on: until, windowDays: config.digests.candidateDays, seenBefore: at };
      const listed = await stores.papers.candidatePapers(request);
      return withTrend(remembered(listed, utcDate(at), config.digests.ledgerDays), at);
    },
    index: async (candidates) => {
      const catalogue = await stores.topics.catalogue();
      const marked = await stores.papers.papersByIds(await markedPapers(database));
      const context = await withTrend(marked, now());
      const statistics = await stores.statistics.current();
      const texts = [...candidates, ...context, ...(statistics?.background ?? [])];
      const embeddings = await stores.embeddings?.load(texts);
      return inSlices(indexInSteps(candidates, catalogue, context, statistics, embeddings));
    },
  });
}

/** Phrases that get vectors: most that an index holds in memory. */
const PHRASES_LIMIT = 20_000;

/** The vectors of what editions are ranked with, where there is an endpoint for them. */
function wireEmbeddings(
  { config, database, now }: Foundations,
  stores: { papers: PaperStore; topics: TopicStore; statistics: StatisticsService; memory: SourceMemory },
): EmbeddingsService | undefined {
  if (!config.embeddings) return undefined;
  return createEmbeddings({
    store: createEmbeddingStore({ database }),
    memory: stores.memory,
    settings: config.embeddings,
    now,
    papers: async () => {
      // From the edition of the westernmost reader to that of the easternmost.
      const request = { on: addDays(utcDate(now()), 1), windowDays: config.digests.candidateDays + 2 };
      const candidates = await stores.papers.candidatePapers({ ...request, seenBefore: now() });
      const marked = await stores.papers.papersByIds(await markedPapers(database));
      const background = (await stores.statistics.current())?.background ?? [];
      return [...candidates, ...marked, ...background];
    },
    phrases: async () => {
      const queries = await stores.topics.followedQueries(PHRASES_LIMIT);
      return [...new Set(queries.map(rankedTextOf))].filter((phrase) => phrase !== '');
    },
  });
}

/** The part of a paper that matching reads. */
export function toMatching(paper: Paper, trendNow: number): MatchingPaper {
  return {
    id: paper.id,
    identity: paper.identity,
    title: paper.title,
    abstract: paper.abstract,
    authors: paper.authors,
    categories: paper.categories,
    organisation: paper.organisation,
    keywords: paper.keywords,
    listedOn: paper.firstListedOn,
    trend: trendNow,
  };
}
