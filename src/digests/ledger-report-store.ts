import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import type { DigestId, IsoDate, SubscriberId } from '#src/database/ids.ts';
import { lockBlocks, reopenBlocks } from './block-store.ts';
import type { DigestState, SkipReason } from './digest.ts';

/** Counts of one edition. */
export type EditionCounts = {
  readonly editionDate: IsoDate;
  readonly states: Readonly<Partial<Record<DigestState, number>>>;
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>;
  /** Digests sent (or tried) a second time because the first attempt's fate was unknown. */
  readonly resent: number;
};

/** A digest whose fate is not known, or was not when it was sent again. */
export type UncertainDigest = {
  readonly id: DigestId;
  readonly editionDate: IsoDate;
  readonly subscriberId: SubscriberId;
  readonly state: DigestState;
  /** It was sent again under the same Message-ID. */
  readonly resent: boolean;
  readonly attempts: number;
  readonly handedOverAt: Date | null;
  readonly reply: string | null;
  /** What its Message-ID is made of; null when the reader is erased. */
  readonly publicId: string | null;
};

/** A digest to be settled, with what its Message-ID is made of. */
export type UnknownDigest = Pick<UncertainDigest, 'id' | 'editionDate' | 'subscriberId' | 'resent'> & {
  /** The reader's public id; null when the reader is erased. */
  readonly publicId: string | null;
};

/** What the operator sees of the ledger, and settles in it. */
export type LedgerReport = {
  /** Every `unknown` digest, oldest first. */
  unknown(): Promise<UnknownDigest[]>;
  /**
   * Settles digests that are (still) `unknown`. `resend` puts them back to `planned`, due now, whether or not they have
   * been resent before; past their deadline they stay. @returns how many were settled
   */
  settle(ids: readonly DigestId[], as: 'sent' | 'failed' | 'resend'): Promise<number>;
  /** Editions from `since` on, newest first. */
  counts(since: IsoDate): Promise<EditionCounts[]>;
  /** `unknown` digests and those that were sent again, newest edition first, at most `limit`. */
  uncertain(since: IsoDate, limit: number): Promise<UncertainDigest[]>;
};

/** Opens the operator's view of the ledger. */
export function createLedgerReport({ database, now }: { database: Database; now: () => Date }): LedgerReport {
  return {
    unknown: async () => {
      const { rows } = await sql<UnknownDigest>`
        select d.id, d.edition_date as "editionDate", d.subscriber_id as "subscriberId", d.resent,
               s.public_id as "publicId"
        from digests d left join subscribers s on s.id = d.subscriber_id
        where d.in_doubt and d.state = 'unknown' order by d.id`.execute(database);
      return rows;
    },
    settle: async (ids, as) => {
      if (ids.length === 0) return 0;
      const state = as === 'resend' ? 'planned' : as;
      const chosen = sql`id = any (${[...ids]}::bigint[]) and state = 'unknown'
          and (${as !== 'resend'} or deadline > ${now()})`;
      const { rows } = await sql<{ n: number }>`
        with locked as materialized (${lockBlocks(chosen)}), settled as (
        update digests set state = ${state}, in_doubt = false, resent = resent or ${as === 'resend'}, lease_token = null,
               lease_until = null, finished_at = case when ${as === 'resend'} then null else ${now()}::timestamptz end,
               reply = ${`settled by the operator as ${as}`}
        where ${chosen} and (select count(*) from locked) >= 0
        returning id, edition_date, state
        ), back as (select id, edition_date from settled where state = 'planned'),
        reopened as (${reopenBlocks('back')})
        select count(*) as n from settled`.execute(database);
      return rows[0]?.n ?? 0;
    },
    counts: (since) => selectCounts(database, since),
    uncertain: async (since, limit) => {
      const { rows } = await sql<UncertainDigest>`
        select d.id, d.edition_date as "editionDate", d.subscriber_id as "subscriberId", d.state, d.resent, d.attempts,
               d.handed_over_at as "handedOverAt", d.reply, s.public_id as "publicId"
        from digests d left join subscribers s on s.id = d.subscriber_id
        where d.edition_date >= ${since}::date and (d.state = 'unknown' or d.resent)
        order by d.edition_date desc, d.id limit ${limit}`.execute(database);
      return rows;
    },
  };
}

async function selectCounts(database: Database, since: IsoDate): Promise<EditionCounts[]> {
  const { rows } = await sql<{
    edition_date: IsoDate;
    state: DigestState;
    skip_reason: SkipReason | null;
    n: number;
    resent: number;
  }>`
    select edition_date, state, skip_reason, count(*) as n, count(*) filter (where resent) as resent
    from digest_states where edition_date >= ${since}::date
    group by 1, 2, 3 order by 1 desc, 2, 3`.execute(database);
  return [...Map.groupBy(rows, (row) => row.edition_date)].map(([editionDate, group]) => ({
    editionDate,
    states: sumBy(group, (row) => row.state),
    skipped: sumBy(
      group.filter((row) => row.skip_reason !== null),
      (row) => row.skip_reason as SkipReason,
    ),
    resent: group.reduce((sum, row) => sum + row.resent, 0),
  }));
}

function sumBy<Row extends { n: number }, Key extends string>(
  rows: readonly Row[],
  key: (row: Row) => Key,
): Partial<Record<Key, number>> {
  const sums: Partial<Record<Key, number>> = {};
  for (const row of rows) sums[key(row)] = (sums[key(row)] ?? 0) + row.n;
  return sums;
}
