import type { Database } from '#src/database/database.ts';
import type { NoticeId, SubscriberId } from '#src/database/ids.ts';
import type { Notice } from '#src/mail/notice.ts';
import { createNoticeStore } from '#src/mail/notice-store.ts';
import { createSuppressionStore } from '#src/mail/suppression-store.ts';
import { OPEN_POLICY } from '#src/subscribers/address.ts';
import {
  createSubscribers,
  type SubscriberDependencies,
  type Subscribers,
} from '#src/subscribers/lifecycle.ts';
import { createLinks } from '#src/subscribers/links.ts';
import { createTokens } from '#src/subscribers/tokens.ts';
import { DEFAULT_CAPS } from '#src/subscribers/work-off-requests.ts';
import { createTopicStore } from '#src/topics/topic-store.ts';

const SECRET = 'a secret for tests, of thirty-two characters';
/** The use cases over a real database on a clock of their own, and what they asked of the queue. */
export function createTestSubscribers(database: Database, overrides: Partial<SubscriberDependencies> = {}) {
  const tokens = createTokens({ secret: SECRET });
  const clock = { now: new Date('2026-06-05T09:00Z') };
  const enqueued: NoticeId[] = [];
  const welcomed: SubscriberId[] = [];
  const suppressions = createSuppressionStore({ hashKey: SECRET });
  const subscribers = createSubscribers({
    database,
    secret: SECRET,
    tokens,
    follows: createTopicStore({ database }),
    suppressions,
    planNotices: createNoticeStore({ database, now: () => clock.now }).plan,
    enqueueNotices: async (ids) => void enqueued.push(...ids),
    planWelcome: async (id) => void welcomed.push(id),
    now: () => clock.now,
    caps: DEFAULT_CAPS,
    policy: OPEN_POLICY,
    consentText: 'Send me the digest.',
    confirmationHours: 48,
    ...overrides,
  });
  const links = createLinks({ baseUrl: 'http://papers.test', tokens });
  /** The mails planned for an address, oldest first. */
  const mailsTo = async (email: string): Promise<Notice[]> => {
    const rows = await database
      .selectFrom('notices')
      .select(['kind', 'parameters'])
      .where('email', '=', email)
      .orderBy('id')
      .execute();
    return rows.map((row) => ({ kind: row.kind, ...(row.parameters as object) }) as Notice);
  };
  return { subscribers, tokens, links, clock, enqueued, welcomed, suppressions, mailsTo };
}

/** Requests that are answered once they are worked off: for tests, which look at what became of them. */
export function settling(subscribers: Subscribers): Subscribers {
  return {
    ...subscribers,
    requestSubscription: async (request) => {
      const outcome = await subscribers.requestSubscription(request);
      await subscribers.requestsSettled();
      return outcome;
    },
  };
}

/** A visit that tests make. */
export const visit = { ip: '192.0.2.1', userAgent: 'test' };
