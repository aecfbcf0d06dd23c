import type { Database } from '#src/database/database.ts';
import { pingDatabase } from '#src/database/database.ts';
import { createPaperStore } from '#src/papers/paper-store.ts';
import { createTopicStore } from '#src/topics/topic-store.ts';
import { createApp } from '#src/web/app.ts';
import { createDayViews } from '#src/web/day-store.ts';
import type { WebDependencies, WebOptions } from '#src/web/dependencies.ts';
import { createTestSubscribers } from './subscribers.ts';

/** The pages over a real database, with the reader's use cases on a clock of their own. */
export async function createTestWeb(
  database: Database,
  overrides: {
    deps?: Partial<WebDependencies>;
    options?: Partial<WebOptions>;
    subscribers?: Parameters<typeof createTestSubscribers>[1];
  } = {},
) {
  const room = createTestSubscribers(database, overrides.subscribers);
  const papers = createPaperStore({ database });
  const topics = createTopicStore({ database });
  const now = () => room.clock.now;
  const app = await createApp(
    {
      subscribers: room.subscribers,
      tokens: room.tokens,
      links: room.links,
      days: createDayViews({ database, papers, now }),
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
      logger: false,
      ...overrides.options,
    },
  );
  return { ...room, app, papers, topics };
}

/** The value of a hidden field in a page. */
export function hiddenField(page: string, name: string): string {
  const found = new RegExp(`name="${name}" value="([^"]*)"`).exec(page);
  if (!found) throw new Error(`no field ${name} in the page`);
  return found[1] as string;
}
