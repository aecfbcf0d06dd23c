import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';

/** What one process wants of one limit. */
export type SlotWant = {
  /** `domain:example.org` */
  readonly key: string;
  /** Slots it could use now, those in use included; 0 gives all back. */
  readonly wanted: number;
  readonly inUse: number;
  /** Of all processes together. */
  readonly limit: number;
};

/** How many messages may be on their way at once, shared out among processes under a lease. */
export type SlotStore = {
  /**
   * Sets what `holder` wants and renews its lease for `leaseMs` milliseconds. While several want slots each gets its
   * share; slots in use are never taken away, those of a process whose lease ran out are.
   * @returns the slots it has now, by key
   */
  hold(holder: string, wants: readonly SlotWant[], leaseMs: number): Promise<Map<string, number>>;
};

/** Opens the store. Leases follow the database's clock. */
export function createSlotStore({ database }: { database: Database }): SlotStore {
  return {
    hold: (holder, wants, leaseMs) =>
      database.transaction().execute(async (tx) => {
        const columns = sql`unnest(
          ${wants.map((want) => want.key)}::text[], ${wants.map((want) => want.wanted)}::int[],
          ${wants.map((want) => want.inUse)}::int[], ${wants.map((want) => want.limit)}::int[])
          as w (key, wanted, in_use, at_most)`;
        // A statement of its own: the next one must see what the one before us at the lock has written. In one order,
        // so that two processes never wait for each other.
        await sql`select pg_advisory_xact_lock(hashtextextended(key, 0))
                  from (select key from ${columns} order by key) k`.execute(tx);
        const { rows } = await sql<{ key: string; slots: number }>`
          with others as (
            select w.key, coalesce(sum(s.slots), 0)::int as taken, count(s.holder)::int as holders
            from ${columns} left join connection_slots s
              on s.key = w.key and s.holder <> ${holder} and s.lease_until > clock_timestamp()
            group by w.key
          )
          insert into connection_slots (key, holder, slots, lease_until)
          select w.key, ${holder},
                 greatest(w.in_use, least(w.wanted, w.at_most - o.taken, ceil(w.at_most::float8 / (o.holders + 1)))),
                 clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'
          from ${columns} join others o on o.key = w.key where w.wanted > 0
          on conflict (key, holder) do update set slots = excluded.slots, lease_until = excluded.lease_until
          returning key, slots`.execute(tx);
        await sql`
          delete from connection_slots s using ${columns}
          where s.key = w.key and (s.lease_until < clock_timestamp() or s.holder = ${holder} and w.wanted = 0)`.execute(
          tx,
        );
        return new Map(rows.map((row) => [row.key, row.slots]));
      }),
  };
}
