import { createHmac } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import type { NoticeId, SubscriberId } from '#src/database/ids.ts';
import type { Notice } from '#src/mail/notice.ts';
import { OPEN_POLICY } from '#src/subscribers/address.ts';
import { createSubscribers, type SubscriberDependencies } from '#src/subscribers/lifecycle.ts';
import { createLinks } from '#src/subscribers/links.ts';
import type { PlanNotices, SuppressionPort, SuppressionReason } from '#src/subscribers/ports.ts';
import { DEFAULT_CAPS } from '#src/subscribers/request.ts';
import { createTokens } from '#src/subscribers/tokens.ts';
import { createTopicStore } from '#src/topics/topic-store.ts';

const SECRET = 'a secret for tests, of thirty-two characters';
const hash = (key: string) => createHmac('sha256', SECRET).update(key).digest();

/** Writes notices as the real ledger does, without its worker. */
const planNotices: PlanNotices = async (tx, notices, now) => {
  const ids: NoticeId[] = [];
  for (const { subscriberId, email, language, notice } of notices) {
    const { kind, ...parameters } = notice;
    const row = await tx
      .insertInto('notices')
      .values({
        subscriber_id: subscriberId,
        email,
        language,
        kind,
        parameters: JSON.stringify(parameters),
        due_at: now,
        deadline: new Date(now.getTime() + 86_400_000),
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    ids.push(row.id as NoticeId);
  }
  return ids;
};

const suppressions: SuppressionPort = {
  async among(db, keys) {
    const byHash = new Map(keys.map((key) => [hash(key).toString('hex'), key]));
    const rows = await db
      .selectFrom('suppressions')
      .select(['address_hash', 'reason'])
      .where('address_hash', '=', sql<Buffer>`any(${keys.map(hash)}::bytea[])`)
      .execute();
    return new Map(
      rows.map((row) => [
        byHash.get(row.address_hash.toString('hex')) as string,
        row.reason as SuppressionReason,
      ]),
    );
  },
  async add(tx, key, reason, now) {
    await tx
      .insertInto('suppressions')
      .values({ address_hash: hash(key), reason, created_at: now })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  },
  async forgive(tx, key) {
    await tx
      .deleteFrom('suppressions')
      .where('address_hash', '=', hash(key))
      .where('reason', '=', 'unsubscribed')
      .execute();
  },
};

/** The use cases over a real database on a clock of their own, and what they asked of the queue. */
export function createTestSubscribers(database: Database, overrides: Partial<SubscriberDependencies> = {}) {
  const tokens = createTokens({ secret: SECRET });
  const clock = { now: new Date('2026-06-05T09:00Z') };
  const enqueued: NoticeId[] = [];
  const welcomed: SubscriberId[] = [];
  const subscribers = createSubscribers({
    database,
    secret: SECRET,
    tokens,
    follows: createTopicStore({ database }),
    suppressions,
    planNotices,
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

/** A visit that tests make. */
export const visit = { ip: '192.0.2.1', userAgent: 'test' };
