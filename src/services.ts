import type { Config } from './config.ts';
import { type Database, pingDatabase } from './database/database.ts';
import type { IsoDate, NoticeId, PaperId, SubscriberId } from './database/ids.ts';
import { createDigestComposer } from './digests/compose.ts';
import { findDigest } from './digests/digest-view-store.ts';
import { createEditionStore } from './digests/edition-store.ts';
import { createLedger } from './digests/ledger.ts';
import { createNoteCoverage } from './digests/note-coverage.ts';
import { createPlanner } from './digests/plan.ts';
import { nameOf, thisProcess } from './digests/process-identity.ts';
import { profilesOf } from './digests/profiles.ts';
import { createStatistics, fitInThread } from './digests/refit-statistics.ts';
import { createRemindersOf } from './digests/reminders.ts';
import { createStatisticsStore } from './digests/statistics-store.ts';
import { createNoticeComposer } from './mail/notice-mail.ts';
import { type ClaimedNotice, createNoticeStore } from './mail/notice-store.ts';
import { previewMessages } from './mail/preview/messages.ts';
import { createSuppressionStore } from './mail/suppression-store.ts';
import { toMatching, wireCandidates, wireEmbeddings } from './matching-services.ts';
import { createCatchingUp } from './papers/catching-up.ts';
import { coverageView } from './papers/coverage.ts';
import { createDueCoverage, createEditionCoverage, createLatestSlot } from './papers/edition-coverage.ts';
import type { Paper } from './papers/paper.ts';
import { createPaperStore } from './papers/paper-store.ts';
import { lastPolls, sourceStatuses } from './papers/poll.ts';
import { createSourceMemory } from './papers/source-memory-store.ts';
import type { JobQueue } from './queue/jobs.ts';
import { senderOf } from './sender.ts';
import { signerOf } from './signer.ts';
import { addressPolicy } from './subscribers/address.ts';
import { claimDue, claimOne, setNextDigestAt } from './subscribers/due-store.ts';
import { markReminded, putAside } from './subscribers/feedback-store.ts';
import { createSubscribers } from './subscribers/lifecycle.ts';
import { createLinks } from './subscribers/links.ts';
import { createTakesMail } from './subscribers/mail-domain.ts';
import { noticeLinks } from './subscribers/notice-links.ts';
import { listSubscribers, publicIds, recipientsByIds } from './subscribers/subscriber-store.ts';
import { createTokens } from './subscribers/tokens.ts';
import { DEFAULT_CAPS } from './subscribers/work-off-requests.ts';
import { createCatalogueEdits } from './topics/catalogue-edit-store.ts';
import { createTopicStore } from './topics/topic-store.ts';
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
  const notices = createNoticeStore({ database, now, holder: nameOf(thisProcess()) });
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
