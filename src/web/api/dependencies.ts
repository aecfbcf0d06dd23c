import type { SubscriberId } from '#src/database/ids.ts';
import type { ListingRecord } from '#src/papers/paper.ts';
import type { PutReport } from '#src/papers/paper-store.ts';
import type { LineContext } from '#src/subscribers/lines.ts';
import type { SubscriberState } from '#src/subscribers/subscriber.ts';
import type { StoredSubscriber } from '#src/subscribers/subscriber-store.ts';
import type { CatalogueTopic } from '#src/topics/topic.ts';
import type { ApiKeys } from './api-key-store.ts';
import type { IdempotencyStore } from './idempotency-store.ts';

/** What the HTTP API uses beyond what the pages do. */
export type ApiDependencies = {
  readonly keys: Pick<ApiKeys, 'find'>;
  readonly idempotency: Pick<IdempotencyStore, 'begin' | 'finish'>;
  readonly putListings: (listings: readonly ListingRecord[]) => Promise<PutReport>;
  readonly putTopic: (topic: CatalogueTopic) => Promise<void>;
  /** False when there is no such topic in the catalogue. */
  readonly hideTopic: (slug: string) => Promise<boolean>;
  readonly listSubscribers: (page: {
    after: number;
    limit: number;
    state?: SubscriberState;
  }) => Promise<StoredSubscriber[]>;
  readonly publicIds: (ids: readonly SubscriberId[]) => Promise<Map<SubscriberId, string>>;
  /** Policy and default schedule of added subscribers. */
  readonly lineContext: Pick<LineContext, 'policy' | 'defaults'>;
};
