import type { RouteOptions } from 'fastify';
import type { Database } from '#src/database/database.ts';
import { pingDatabase } from '#src/database/database.ts';
import type { IsoDate, PaperId } from '#src/database/ids.ts';
import { indexCandidates } from '#src/matching/index-candidates.ts';
import { createPaperStore } from '#src/papers/paper-store.ts';
import { OPEN_POLICY } from '#src/subscribers/address.ts';
import { listSubscribers, publicIds } from '#src/subscribers/subscriber-store.ts';
import { CATALOGUE } from '#src/topics/catalogue.ts';
import { createCatalogueEdits } from '#src/topics/catalogue-edit-store.ts';
import { createTopicStore } from '#src/topics/topic-store.ts';
import { createApiKeys } from '#src/web/api/api-key-store.ts';
import { createIdempotencyStore } from '#src/web/api/idempotency-store.ts';
import { createApp } from '#src/web/app.ts';
import { archiveOf } from '#src/web/archive-store.ts';
import { createDayViews } from '#src/web/day-store.ts';
import type { WebDependencies, WebOptions } from '#src/web/dependencies.ts';
import { createPaperViews } from '#src/web/paper-views.ts';
import { createPreview } from '#src/web/preview.ts';
import { createTestSubscribers, settling } from './subscribers.ts';

/** The pages over a real database, with the reader's use cases on a clock of their own. */
export async function createTestWeb(
  database: Database,
  overrides: {
    deps?: Partial<WebDependencies>;
    options?: Partial<WebOptions>;
    subscribers?: Parameters<typeof createTestSubscribers>[1];
    /** False: requests for subscriptions are worked off after the answer, as in the service. */
    settles?: boolean;
    /** Told of every route. */
    onRoute?: (route: RouteOptions) => void;
  } = {},
) {
  const room = createTestSubscribers(database, overrides.subscribers);
  const papers = createPaperStore({ database });
  const topics = createTopicStore({ database });
  const now = () => room.clock.now;
  const keys = createApiKeys({ database, now });
  const views = createPaperViews({ database, papers, now });
  /** All papers of the database are candidates: the planner's own choice of candidates is tested with the planner. */
  const editionIndex = async (on: IsoDate) => {
    const ids = await database.selectFrom('papers').select('id').execute();
    const listed = await views.byIds(ids.map(({ id }) => id as PaperId));
    const candidates = listed.map((paper) => ({ ...paper, listedOn: paper.firstListedOn }));
    return {
      index: indexCandidates(candidates, CATALOGUE),
      ids: listed.map(({ id }) => id),
      among: new Set<PaperId>(),
      since: on,
    };
  };
  const app = await createApp(
    {
      subscribers: overrides.settles === false ? room.subscribers : settling(room.subscribers),
      tokens: room.tokens,
      links: room.links,
      days: createDayViews({ database, papers, now }),
      api: {
        ...createCatalogueEdits({ database }),
        keys,
        idempotency: createIdempotencyStore({ database }),
        putListings: papers.put,
        listSubscribers: (page) => listSubscribers(database, page),
        publicIds: (ids) => publicIds(database, ids),
        lineContext: { policy: OPEN_POLICY, defaults: { timezone: 'UTC', hour: 7 } },
      },
      views,
      preview: createPreview({
        editionIndex,
        now,
        feedbackOf: room.subscribers.feedbackOf,
        papersByIds: views.byIds,
        seenPapers: async () => new Set(),
        remindersOf: async () => new Map(),
      }),
      archive: (id, limit) => archiveOf(database, id, limit),
      archiveDays: 400,
      sourceStatuses: async () => [],
      catalogue: topics.catalogue,
      papersByIds: papers.papersByIds,
      digestHtml: async () => null,
      ping: () => pingDatabase(database),
      now,
      ...overrides.deps,
    },
    {
      baseUrl: 'http://papers.test',
      operatorName: 'Test',
      postalAddress: null,
      consentText: 'Send me the digest.',
      trustProxy: false,
      secret: 'a secret for tests, of thirty-two characters',
      postsPerMinute: 10_000,
      apiRequestsPerMinute: 10_000,
      logger: false,
      ...overrides.options,
    },
    overrides.onRoute,
  );
  return { ...room, app, papers, topics, keys };
}

/** The value of a hidden field in a page. */
export function hiddenField(page: string, name: string): string {
  const found = new RegExp(`name="${name}" value="([^"]*)"`).exec(page);
  if (!found) throw new Error(`no field ${name} in the page`);
  return found[1] as string;
}
