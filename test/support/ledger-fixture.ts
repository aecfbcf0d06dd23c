import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import { type IsoDate, isoDate, type PaperId, type SubscriberId } from '#src/database/ids.ts';
import type { ComposeDigests } from '#src/digests/deliver.ts';
import type { PlannedDigest } from '#src/digests/digest.ts';
import { createLedger } from '#src/digests/ledger.ts';
import { nameOf, thisProcess } from '#src/digests/process-identity.ts';
import { createRecoveryStore } from '#src/digests/recovery-store.ts';
import { createSettleJournals, type SettleDependencies } from '#src/digests/settle-journals.ts';
import { contentOf } from '#src/mail/content.ts';
import type { OutgoingMessage } from '#src/mail/message.ts';
import { createNoticeStore } from '#src/mail/notice-store.ts';

/** The edition that fixtures are made for, and an instant in it. */
export const EDITION: IsoDate = isoDate('2026-06-10');
export const NOON = new Date('2026-06-10T12:00:00Z');

/** Adds active readers `reader1@example.org` … (after `prefix`); answers their ids in order. */
export async function addReaders(database: Database, count: number, prefix = ''): Promise<SubscriberId[]> {
  const { rows } = await sql<{ id: SubscriberId }>`
    insert into subscribers (email, email_key, state)
    select ${prefix} || 'reader' || n || '@example.org', ${prefix} || 'reader' || n || '@example.org', 'active'
    from generate_series(1, ${count}::int) as n order by n returning id`.execute(database);
  return rows.map((row) => row.id);
}

/** A digest of {@link EDITION} due since {@link NOON}. */
export const plannedFor = (
  subscriberId: SubscriberId,
  overrides: Partial<PlannedDigest> = {},
): PlannedDigest => ({
  editionDate: EDITION,
  subscriberId,
  kind: 'daily',
  content: {
    paperIds: [1 as PaperId, 2 as PaperId],
    reasons: [[{ type: 'trending', weight: 1, fill: false }], []],
    candidates: 9,
    had: 3,
  },
  slotAt: NOON,
  deadline: new Date(NOON.getTime() + 36 * 3_600_000),
  ...overrides,
});

/** The message that {@link composeFor} makes of a row. */
export const messageOf = (id: number, subscriberId: number, first: number): OutgoingMessage => ({
  envelope: { from: 'bounces@paperboy.test', to: `reader${subscriberId - first + 1}@example.org` },
  messageId: `<digest.${id}@paperboy.test>`,
  content: contentOf(
    Buffer.from(`Message-ID: <digest.${id}@paperboy.test>\r\nSubject: papers\r\n\r\nfor ${subscriberId}\r\n`),
  ),
});

/** Composes without templates: the readers are those of {@link addReaders}, `first` the lowest of their ids. */
export const composeFor =
  (first: number): ComposeDigests =>
  async (rows) =>
    new Map(rows.map((row) => [row.id, messageOf(row.id, row.subscriberId, first)]));

/** Settles journals, of digests and of notices, as the service does. */
export const settlerOf = (
  database: Database,
  now: () => Date,
  journals: SettleDependencies['journals'] = NO_JOURNALS,
) =>
  createSettleJournals({
    journals,
    ledger: createLedger({ database, now }),
    store: createRecoveryStore({ database, now }),
    notices: createNoticeStore({ database, now, holder: nameOf(thisProcess()) }),
  });

const NO_JOURNALS: SettleDependencies['journals'] = {
  leftovers: async () => [],
  noticeLeftovers: async () => [],
  remove: async () => undefined,
};

/** How many rows are in which state. */
export async function statesOf(database: Database): Promise<Record<string, number>> {
  const { rows } = await sql<{ state: string; n: number }>`
    select state, count(*) as n from digest_states group by 1`.execute(database);
  return Object.fromEntries(rows.map((row) => [row.state, row.n]));
}
