import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';

/** A limit that a message falls under. */
export type Limit = {
  /** `global`, `domain:example.org`, `warm-up:2026-11-21` … */
  readonly key: string;
  /** Messages a minute; null for a budget that isn't refilled, and for a key that is only looked up for its pause. */
  readonly perMinute: number | null;
  /** Messages that may go at once: the size of the bucket, or the whole budget. */
  readonly burst: number;
};

/** What {@link ThrottleStore.take} granted of one limit. */
export type Grant = {
  readonly granted: number;
  /** Milliseconds until more may go; 0 when all was granted. */
  readonly waitMs: number;
};

/** Limits in the database, so that all workers together keep them. Token buckets on the database's clock. */
export type ThrottleStore = {
  /** Takes up to `wanted` messages of each limit. */
  take(wants: readonly { readonly limit: Limit; readonly wanted: number }[]): Promise<Map<string, Grant>>;
  /**
   * A domain asks for patience (421, 4.7.x): pauses it for a minute, then two, four … at most an hour. After a good
   * hour it begins with a minute again.
   */
  backOff(key: string): Promise<void>;
  /** A domain whose pause is over takes mail again: should it ask for patience once more, its next pause is no longer than the last. */
  forgive(key: string): Promise<void>;
  /** Keys that are paused now, and for how many milliseconds yet. */
  paused(): Promise<Map<string, number>>;
};

/** Longest pause, in minutes, as a power of two. */
const LONGEST_PAUSE = 6;

/** Opens the store. */
export function createThrottleStore({ database }: { database: Database }): ThrottleStore {
  /** Keys whose rows are known to be there. */
  const known = new Set<string>();
  return {
    take: async (wants) => {
      await ensureRows(database, wants, known);
      return takeTokens(database, wants);
    },
    backOff: async (key) => {
      await sql`
        insert into throttles (key, tokens, paused_until, refusals)
        values (${key}, 0, clock_timestamp() + interval '1 minute', 1)
        on conflict (key) do update
        set refusals = case when throttles.paused_until < clock_timestamp() - interval '1 hour' then 1
                            else throttles.refusals + 1 end,
            paused_until = clock_timestamp() + interval '1 minute' * power(2,
              case when throttles.paused_until < clock_timestamp() - interval '1 hour' then 0
                   else least(throttles.refusals, ${LONGEST_PAUSE}::int) end)
        -- a window of messages that were refused together counts once
        where throttles.paused_until is null or throttles.paused_until <= clock_timestamp()`.execute(
        database,
      );
    },
    forgive: async (key) => {
      await sql`
        update throttles set refusals = refusals - 1
        where key = ${key} and refusals > 0 and paused_until <= clock_timestamp()`.execute(database);
    },
    paused: async () => {
      const { rows } = await sql<{ key: string; ms: number }>`
        select key, extract(epoch from paused_until - clock_timestamp())::float8 * 1000 as ms
        from throttles where paused_until > clock_timestamp()`.execute(database);
      return new Map(rows.map((row) => [row.key, row.ms]));
    },
  };
}

type Wants = Parameters<ThrottleStore['take']>[0];

async function ensureRows(database: Database, wants: Wants, known: Set<string>): Promise<void> {
  const fresh = wants.filter(({ limit }) => !known.has(limit.key));
  if (fresh.length === 0) return;
  await sql`
    insert into throttles (key, tokens)
    select * from unnest(${fresh.map(({ limit }) => limit.key)}::text[],
                         ${fresh.map(({ limit }) => limit.burst)}::float8[])
    on conflict do nothing`.execute(database);
  for (const { limit } of fresh) known.add(limit.key);
}

async function takeTokens(database: Database, wants: Wants): Promise<Map<string, Grant>> {
  // Locked in the order of keys, so that two workers never wait for each other.
  const { rows } = await sql<{ key: string; granted: number; wait_ms: number }>`
    with want as (
      select * from unnest(
        ${wants.map(({ limit }) => limit.key)}::text[],
        ${wants.map(({ wanted }) => wanted)}::float8[],
        ${wants.map(({ limit }) => limit.perMinute ?? 0)}::float8[],
        ${wants.map(({ limit }) => limit.burst)}::float8[]) as w (key, wanted, per_minute, burst)
    ), held as materialized (
      select t.key, w.wanted, w.per_minute,
             greatest(extract(epoch from t.paused_until - clock_timestamp()), 0)::float8 as pause_s,
             least(w.burst, t.tokens + greatest(extract(epoch from clock_timestamp() - t.refilled_at), 0)
                            * w.per_minute / 60) as available
      from throttles t join want w on w.key = t.key order by t.key for update of t
    ), decided as (
      select *, case when coalesce(pause_s, 0) > 0 then 0 else floor(least(wanted, available)) end as granted from held
    )
    update throttles t set tokens = d.available - d.granted, refilled_at = clock_timestamp()
    from decided d where t.key = d.key
    returning t.key, d.granted,
      case when d.granted >= d.wanted then 0
           when coalesce(d.pause_s, 0) > 0 then d.pause_s * 1000
           when d.per_minute > 0 then greatest((1 - (d.available - d.granted)) * 60000 / d.per_minute, 0)
           else 3600000 end as wait_ms`.execute(database);
  return new Map(rows.map((row) => [row.key, { granted: row.granted, waitMs: row.wait_ms }]));
}
