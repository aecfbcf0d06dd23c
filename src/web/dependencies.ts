import type { FastifyBaseLogger } from 'fastify';
import type { IsoDate, PaperId, SubscriberId } from '#src/database/ids.ts';
import type { PreviewMessage } from '#src/mail/preview/messages.ts';
import type { Paper } from '#src/papers/paper.ts';
import type { SourceStatus } from '#src/papers/source-health.ts';
import type { Subscribers } from '#src/subscribers/lifecycle.ts';
import type { Links } from '#src/subscribers/links.ts';
import type { Tokens } from '#src/subscribers/tokens.ts';
import type { CatalogueTopic } from '#src/topics/topic.ts';
import type { ApiDependencies } from './api/dependencies.ts';
import type { ArchivedDigest } from './archive-store.ts';
import type { PaperViews } from './paper-views.ts';
import type { Preview } from './preview.ts';

/** Everything the pages use of the rest of the service. */
export type WebDependencies = {
  readonly subscribers: Subscribers;
  readonly tokens: Tokens;
  readonly links: Links;
  readonly days: DayViews;
  /** Papers, topics and searches. */
  readonly views: PaperViews;
  /** What today's digest would be. */
  readonly preview: Preview;
  /** The digests a reader was sent, newest first. */
  readonly archive: (id: SubscriberId, limit: number) => Promise<readonly ArchivedDigest[]>;
  /** For how many days digests are kept, at the least. */
  readonly archiveDays: number;
  /** How the configured sources are. */
  readonly sourceStatuses: () => Promise<readonly SourceStatus[]>;
  /** The topic catalogue in force. */
  readonly catalogue: () => Promise<readonly CatalogueTopic[]>;
  readonly papersByIds: (ids: readonly PaperId[]) => Promise<Paper[]>;
  /** The digest of a date as an HTML document with inline styles, or null when the reader had none. */
  readonly digestHtml: (id: SubscriberId, date: IsoDate) => Promise<string | null>;
  /** Every mail there is, for the page `/mails`; absent where mails leave the machine. */
  readonly mailPreviews?: () => AsyncIterable<PreviewMessage>;
  readonly api: ApiDependencies;
  /** Rejects when the database is out of reach. */
  readonly ping: () => Promise<unknown>;
  readonly now: () => Date;
};

/** What is fixed when the server starts. */
export type WebOptions = {
  /** Address of the pages as readers reach it. */
  readonly baseUrl: string;
  readonly operatorName: string;
  readonly postalAddress: string | null;
  readonly consentText: string;
  /** Whose X-Forwarded-For is believed: the proxies' addresses, all, or nobody's. */
  readonly trustProxy: boolean | readonly string[];
  /** Signs the time in the subscribe form. */
  readonly secret: string;
  /** Sends Strict-Transport-Security; only where every page is served over https. */
  readonly hsts?: boolean;
  /** Posts of one visitor a minute, one-click excepted (default 60). */
  readonly postsPerMinute?: number;
  /** Requests of one API key (or visitor) a minute (default 300). */
  readonly apiRequestsPerMinute?: number;
  /** A pino logger, or false. */
  readonly logger: FastifyBaseLogger | false;
};

/** A paper as the lists show it. */
export type ListedPaper = Paper & {
  /** In [0, 1). */
  readonly trend: number;
};

/** The papers of a day, best trend first. */
export type Day = {
  readonly date: IsoDate;
  readonly papers: readonly ListedPaper[];
  /** How many were listed that day; `papers` holds the first of them. */
  readonly total: number;
  /** Nearest days with listings. */
  readonly previous: IsoDate | null;
  readonly next: IsoDate | null;
};

/** Reads days for the pages. */
export type DayViews = {
  /** The newest day with listings on or before a date; null while there are no papers at all. */
  latest(onOrBefore: IsoDate): Promise<IsoDate | null>;
  /** One day; empty `papers` when nothing was listed. */
  day(date: IsoDate, limit: number): Promise<Day>;
  /** The best of a range of days (both included), each paper once, best trend first. */
  best(from: IsoDate, to: IsoDate, limit: number): Promise<Omit<Day, 'date'>>;
};
