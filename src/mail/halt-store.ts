import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';

/** A halt of delivery, as all workers see it. */
export type HaltState = {
  readonly raisedAt: Date;
  /** What the relay said. */
  readonly reply: string;
  /** When one worker tries a few messages. */
  readonly nextProbeAt: Date;
  /** Tries so far. */
  readonly probes: number;
};

/** The halt in the database: one for all workers, on the database's clock. */
export type HaltStore = {
  look(): Promise<HaltState | null>;
  /** @returns true for the one caller that raised it: who sounds the alarm */
  raise(reply: string): Promise<boolean>;
  /** True for one worker each time a probe is due; the next is due after 1, 2, 4 … 15 minutes. */
  claimProbe(): Promise<boolean>;
  /** Ends the halt. @returns whether there was one */
  lift(): Promise<boolean>;
};

/** SMTP replies are kept to this length, in characters. */
const REPLY_LENGTH = 500;
/** Seconds until the first probe, and between probes at most. */
const PROBE_S = { first: 60, last: 900 };

/** Opens the store. */
export function createHaltStore({ database }: { database: Database }): HaltStore {
  return {
    look: async () => {
      const { rows } = await sql<HaltState>`
        select raised_at as "raisedAt", reply, next_probe_at as "nextProbeAt", probes
        from delivery_halts`.execute(database);
      return rows[0] ?? null;
    },
    raise: async (reply) => {
      const { numAffectedRows } = await sql`
        insert into delivery_halts (reply, next_probe_at)
        values (${reply.slice(0, REPLY_LENGTH)}, clock_timestamp() + ${PROBE_S.first} * interval '1 s')
        on conflict do nothing`.execute(database);
      return numAffectedRows === 1n;
    },
    // Counted when it begins: a worker that dies in it must not keep the others from trying.
    claimProbe: async () => {
      const { numAffectedRows } = await sql`
        update delivery_halts
        set probes = probes + 1,
            next_probe_at = clock_timestamp()
              + least(${PROBE_S.first} * power(2, least(probes, 10)), ${PROBE_S.last}) * interval '1 s'
        where next_probe_at <= clock_timestamp()`.execute(database);
      return numAffectedRows === 1n;
    },
    lift: async () => {
      const { numAffectedRows } = await sql`delete from delivery_halts`.execute(database);
      return numAffectedRows === 1n;
    },
  };
}
