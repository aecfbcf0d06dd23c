import { sql } from 'kysely';
import type { Database, Queryable } from '#src/database/database.ts';
import { heldTokensOf } from '#src/database/held-tokens.ts';
import type { DigestId, IsoDate, PaperId, SubscriberId } from '#src/database/ids.ts';
import { endLease, freeIdle, heldBlockOf, IS_OPEN, idleTokens } from './block-store.ts';
import { claimRows } from './claim-store.ts';
import type { ClaimedDigest, DigestState, PlannedDigest, SkipReason } from './digest.ts';
import { handOverRows, renewRows } from './hand-over-store.ts';
import { insertRows } from './planned-store.ts';
import { nameOf, thisProcess } from './process-identity.ts';
import { BLOCK_SIZE, type DigestRange } from './ranges.ts';
import { recordRows } from './result-store.ts';

/** A row just written by {@link Ledger.insert}. */
export type InsertedDigest = {
  readonly id: DigestId;
  readonly editionDate: IsoDate;
  readonly subscriberId: SubscriberId;
  readonly state: Extract<DigestState, 'planned' | 'skipped'>;
};

/** Names a claimed row: its key and the fencing token that every write must carry. */
export type Claim = Pick<ClaimedDigest, 'id' | 'editionDate' | 'leaseToken'>;

/** A claim, its reader, and the address that its message was composed for: who moved since isn't mailed at the old one. */
export type AddressedClaim = Claim & { readonly subscriberId: SubscriberId; readonly address?: string };

/** What became of a claimed row. `planned` gives it back untried. */
export type DigestResult = Claim &
  (
    | { readonly state: 'sent' | 'failed' | 'unknown'; readonly reply: string }
    | { readonly state: 'deferred'; readonly reply: string; readonly dueAt: Date }
    | { readonly state: 'planned'; readonly dueAt?: Date }
    | { readonly state: 'skipped'; readonly reason: SkipReason }
  );

/** What {@link Ledger.handOver} decided. */
export type HandOver = {
  /** These may be sent now. */
  readonly ids: ReadonlySet<DigestId>;
  /** Their readers left, paused or were erased since they were planned: recorded as skipped, not to be sent. */
  readonly skipped: ReadonlyMap<DigestId, SkipReason>;
};

/** The digest rows and their states: the single truth about what was mailed. */
export type Ledger = {
  /**
   * Writes planned rows in one statement inside the caller's transaction. A reader who has a digest of that edition
   * already is left alone, so planning twice can't make two.
   * @returns the rows written, with ascending ids
   */
  insert(db: Queryable, rows: readonly PlannedDigest[]): Promise<InsertedDigest[]>;
  /**
   * Takes the first block of a range that nobody holds and of which rows are due (`planned` or `deferred`, before their
   * deadline) for `leaseMs` milliseconds; answers those rows, lowest id first. {@link release} it when all are recorded,
   * and say {@link drop} in any case.
   */
  claim(
    range: DigestRange,
    options: { readonly limit: number; readonly leaseMs: number },
  ): Promise<ClaimedDigest[]>;
  /**
   * Gives the block of a claim back. Rows that were handed over and never recorded are in doubt from then on.
   * @returns when the next of its rows is due (or was); null when there is none, or somebody else has the block
   */
  release(claim: Claim): Promise<Date | null>;
  /** Nothing more is done here under this claim: where it could not be released, its journal settles it. */
  drop(claim: Claim): void;
  /**
   * Frees blocks that this process took by a statement whose answer never came, and nothing of which was handed over.
   * @returns their ids, to be delivered
   */
  releaseStrays(): Promise<DigestRange[]>;
  /** When the next row of a range is due (or was) whose block nobody holds; null when there is none. */
  nextDue(range: DigestRange): Promise<Date | null>;
  /**
   * Commits `handed_over` for claimed rows of one claim, before their DATA phase, and renews the lease. Rows whose
   * lease is lost are in neither part of the answer, another process has them; nor are those whose reader has moved to
   * another address: {@link record} them as `planned`.
   */
  handOver(claims: readonly AddressedClaim[], leaseMs: number): Promise<HandOver>;
  /** Lengthens the lease of a claim; answers those of its rows that are still held. */
  renew(claims: readonly Claim[], leaseMs: number): Promise<Set<DigestId>>;
  /**
   * Records results where the token still holds, in one statement. A row already given up as `unknown` takes a late
   * result of the same token.
   * @param handedOverAt when those of them that were handed over were; undefined: not known any more
   * @returns the rows written
   */
  record(results: readonly DigestResult[], handedOverAt?: Date): Promise<Set<DigestId>>;
  /**
   * Papers each reader has had, or has on the way, in editions on or after `since`; readers without any are absent.
   */
  seenPapers(
    db: Queryable,
    subscriberIds: readonly SubscriberId[],
    since: IsoDate,
  ): Promise<Map<SubscriberId, Set<PaperId>>>;
};

/**
 * Opens the ledger. Due times and deadlines follow `now`; leases follow the database's own clock, the one clock that
 * all workers share. `holder`: who claims, the running process by default.
 */
export function createLedger({
  database,
  now,
  holder = nameOf(thisProcess()),
}: {
  readonly database: Database;
  readonly now: () => Date;
  readonly holder?: string;
}): Ledger {
  const tokens = heldTokensOf(database);
  return {
    insert: (db, rows) => insertRows(db, rows, now()),
    claim: (range, options) =>
      tokens.take(
        () => claimRows(database, range, { ...options, holder }, now()),
        ([first]) => first?.leaseToken,
      ),
    release: async (claim) => (await endLease(database, heldBlockOf([claim]), now()))?.nextDue ?? null,
    drop: ({ leaseToken }) => tokens.drop(leaseToken),
    releaseStrays: async () => freeIdle(database, await tokens.strays(() => idleTokens(database, holder))),
    nextDue: (range) => selectNextDue(database, range, now()),
    handOver: (claims, leaseMs) => handOverRows(database, claims, leaseMs, now()),
    renew: (claims, leaseMs) => renewRows(database, claims, leaseMs),
    record: (results, handedOverAt) => recordRows(database, results, { now: now(), handedOverAt }),
    seenPapers: selectSeenPapers,
  };
}

async function selectNextDue(database: Database, range: DigestRange, now: Date): Promise<Date | null> {
  const { rows } = await sql<{ due: Date | null }>`
    select min(d.due_at) as due
    from digest_blocks b join digests d
      on d.id between b.first_id and b.first_id + ${BLOCK_SIZE - 1} and d.edition_date = b.edition_date
    where b.first_id between ${range.from - BLOCK_SIZE + 1} and ${range.to} and b.edition_date = ${range.editionDate}::date
      and b.open and b.lease_token is null
      and d.id between ${range.from} and ${range.to} and ${IS_OPEN} and d.deadline > ${now}`.execute(
    database,
  );
  return rows[0]?.due ?? null;
}

async function selectSeenPapers(db: Queryable, subscriberIds: readonly SubscriberId[], since: IsoDate) {
  const seen = new Map<SubscriberId, Set<PaperId>>();
  if (subscriberIds.length === 0) return seen;
  // In-flight digests count as well: they may arrive, and a paper must not come twice.
  const { rows } = await sql<{ subscriber_id: SubscriberId; paper_ids: PaperId[] }>`
    select subscriber_id, paper_ids from digests
    where subscriber_id = any (${[...subscriberIds]}::bigint[]) and edition_date >= ${since}::date
      and state in ('planned', 'claimed', 'handed_over', 'deferred', 'sent', 'unknown')`.execute(db);
  for (const row of rows) {
    const papers = seen.get(row.subscriber_id) ?? new Set();
    for (const paper of row.paper_ids) papers.add(paper);
    seen.set(row.subscriber_id, papers);
  }
  return seen;
}
