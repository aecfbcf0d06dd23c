import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import type { IsoDate } from '#src/database/ids.ts';
import type { SkipReason } from './digest.ts';

/** What a replay did, counted from the database and not from memory: an interrupted one counts right too. */
export type ReplayCounts = {
  readonly papers: number;
  readonly listings: number;
  readonly subscribers: number;
  /** Ledger rows: one for every reader and date on which a digest was due. */
  readonly due: number;
  readonly sent: number;
  readonly failed: number;
  readonly unknown: number;
  /** Rows in any other state: 0 once the replay is through. */
  readonly open: number;
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>;
  /** Times a paper came to a reader who had had it: 0. */
  readonly repeats: number;
  /** Digests in flight when the process was killed: sent again under the same Message-ID, or left unknown. */
  readonly ambiguous: readonly {
    readonly email: string | null;
    readonly editionDate: IsoDate;
    readonly resent: boolean;
  }[];
};

const CHECKPOINT = 'replay.checkpoint';

/** The replay's own reads and writes. */
export function createReplayStore({ database }: { readonly database: Database }) {
  return {
    /** The earliest instant at which an active reader is due. */
    async nextDue(): Promise<Date | null> {
      const { rows } = await sql<{ at: Date | null }>`
        select min(next_digest_at) as at from schedules join subscribers on id = subscriber_id
        where state = 'active'`.execute(database);
      return rows[0]?.at ?? null;
    },

    /** Digests that are neither finished nor waiting for later: claimed or handed over by a process that is gone. */
    async inFlight(): Promise<number> {
      const { rows } = await sql<{ n: number }>`
        select count(*) as n from digest_states where state in ('claimed', 'handed_over')`.execute(database);
      return rows[0]?.n ?? 0;
    },

    /** Gives readers public ids made from their addresses, so that two replays write the same mails. */
    async fixPublicIds(): Promise<void> {
      await sql`update subscribers set public_id = md5('replay ' || email_key)::uuid`.execute(database);
    },

    async checkpoint(): Promise<Date | null> {
      const row = await database
        .selectFrom('settings')
        .select('value')
        .where('key', '=', CHECKPOINT)
        .executeTakeFirst();
      return typeof row?.value === 'string' ? new Date(row.value) : null;
    },

    async saveCheckpoint(at: Date): Promise<void> {
      const value = JSON.stringify(at);
      await sql`
        insert into settings (key, value) values (${CHECKPOINT}, ${value}::jsonb)
        on conflict (key) do update set value = excluded.value, updated_at = now()`.execute(database);
    },

    counts: () => readCounts(database),
  };
}

async function readCounts(database: Database): Promise<ReplayCounts> {
  const { rows } = await sql<Omit<ReplayCounts, 'skipped' | 'ambiguous'>>`
    select (select count(*) from papers) as papers, (select count(*) from listings) as listings,
      (select count(*) from subscribers) as subscribers, count(*) as due,
      count(*) filter (where state = 'sent') as sent, count(*) filter (where state = 'failed') as failed,
      count(*) filter (where state = 'unknown') as unknown,
      count(*) filter (where state not in ('sent', 'failed', 'unknown', 'skipped')) as open,
      (select coalesce(sum(n - 1), 0)::bigint from (
         select count(*) as n from digests, unnest(paper_ids) as paper
         where state in ('sent', 'unknown') group by subscriber_id, paper having count(*) > 1) twice) as repeats
    from digests`.execute(database);
  const skipped = await sql<{ reason: SkipReason; n: number }>`
    select skip_reason as reason, count(*) as n from digests where state = 'skipped' group by 1 order by 1`.execute(
    database,
  );
  const ambiguous = await sql<ReplayCounts['ambiguous'][number]>`
    select s.email, d.edition_date as "editionDate", d.resent
    from digests d left join subscribers s on s.id = d.subscriber_id
    where d.resent or d.state = 'unknown' order by 2, 1`.execute(database);
  const totals = rows[0];
  if (!totals) throw new Error('no counts');
  return {
    ...totals,
    skipped: Object.fromEntries(skipped.rows.map(({ reason, n }) => [reason, n])),
    ambiguous: ambiguous.rows,
  };
}
