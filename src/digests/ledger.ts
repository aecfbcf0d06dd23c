import { sql } from 'kysely';
import { bigints, joinedIds, PREPARED, splitIds, texts } from '#src/database/columns.ts';
import type { Database, Queryable } from '#src/database/database.ts';
import type { DigestId, IsoDate, PaperId, SubscriberId } from '#src/database/ids.ts';
import { withoutAddresses } from '#src/mail/redact.ts';
import { claimRows } from './claim-store.ts';
import type { ClaimedDigest, DigestState, PlannedDigest, SkipReason } from './digest.ts';
import { insertRows } from './planned-store.ts';
import type { DigestRange } from './ranges.ts';

/** A row just written by {@link Ledger.insert}. */
export type InsertedDigest = {
  readonly id: DigestId;
  readonly editionDate: IsoDate;
  readonly subscriberId: SubscriberId;
  readonly state: Extract<DigestState, 'planned' | 'skipped'>;
};

/** Names a claimed row: its key and the fencing token that every write must carry. */
export type Claim = Pick<ClaimedDigest, 'id' | 'editionDate' | 'leaseToken'>;

/** A claim, and the address that its message was composed for: a reader who moved since isn't mailed at the old one. */
export type AddressedClaim = Claim & { readonly address?: string };

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
   * Takes rows that are due (`planned` or `deferred`, before their deadline) for `leaseMs` milliseconds, oldest id
   * first. Rows another process is taking are passed over.
   */
  claim(
    range: DigestRange,
    options: { readonly limit: number; readonly leaseMs: number },
  ): Promise<ClaimedDigest[]>;
  /** When the next row of a range that nobody has is due (or was); null when there is none. */
  nextDue(range: DigestRange): Promise<Date | null>;
  /**
   * Commits `handed_over` for claimed rows of one claim, before their DATA phase, and renews their lease. Rows whose
   * lease is lost are in neither part of the answer, another process has them; nor are those whose reader has moved to
   * another address, which stay claimed.
   */
  handOver(claims: readonly AddressedClaim[], leaseMs: number): Promise<HandOver>;
  /** Lengthens the lease of rows still held; answers those that are. */
  renew(claims: readonly Claim[], leaseMs: number): Promise<Set<DigestId>>;
  /**
   * Records results where the token still holds, in one statement. A row already given up as `unknown` takes a late
   * result of the same token. @returns the rows written
   */
  record(results: readonly DigestResult[]): Promise<Set<DigestId>>;
  /**
   * Papers each reader has had, or has on the way, in editions on or after `since`; readers without any are absent.
   */
  seenPapers(
    db: Queryable,
    subscriberIds: readonly SubscriberId[],
    since: IsoDate,
  ): Promise<Map<SubscriberId, Set<PaperId>>>;
};

/** SMTP replies are kept to this length, in characters. */
const REPLY_LENGTH = 500;

/**
 * Opens the ledger. Due times and deadlines follow `now`; leases follow the database's own clock, the one clock that
 * all workers share.
 */
export function createLedger({ database, now }: { database: Database; now: () => Date }): Ledger {
  return {
    insert: (db, rows) => insertRows(db, rows, now()),
    claim: (range, options) => claimRows(database, range, options, now()),
    nextDue: async (range) => {
      const { rows } = await sql<{ due: Date | null }>`
        select min(due_at) as due from digests
        where edition_date = ${range.editionDate}::date and id between ${range.from} and ${range.to}
          and finished_at is null and state in ('planned', 'deferred') and deadline > ${now()}`.execute(
        database,
      );
      return rows[0]?.due ?? null;
    },
    handOver: (claims, leaseMs) => handOverRows(database, claims, leaseMs, now()),
    renew: (claims, leaseMs) => renewRows(database, claims, leaseMs),
    record: (results) => recordRows(database, results, now()),
    seenPapers: selectSeenPapers,
  };
}

/**
 * The claims as a table `c (id)`, and what all of them have in common: rows of one claim are of one edition and carry
 * one token. Said so that the planner sees one partition and a few rows of its primary key whatever the parameters are,
 * and whatever it believes of the table's size: it then makes one plan for all times.
 */
function sharedKeys(claims: readonly Claim[]) {
  const { editionDate, leaseToken } = claims[0] as Claim;
  if (claims.some((claim) => claim.leaseToken !== leaseToken || claim.editionDate !== editionDate))
    throw new RangeError('rows of different claims');
  const ids = bigints(claims.map((claim) => claim.id));
  return {
    ids,
    table: sql`unnest(${ids}) as c (id)`,
    holds: sql`d.id = c.id and d.id = any (${ids}) and d.edition_date = ${sql.lit(editionDate)}::date
      and d.lease_token = ${leaseToken}`,
  };
}

async function handOverRows(
  database: Database,
  claims: readonly AddressedClaim[],
  leaseMs: number,
  now: Date,
): Promise<HandOver> {
  if (claims.length === 0) return { ids: new Set(), skipped: new Map() };
  const shared = sharedKeys(claims);
  // The reader's state is looked at in the same statement: who left until now is not mailed.
  const { rows } = await sql<{ ids: string | null }>`${PREPARED}
    with handed as (
      update digests d
      set state = 'handed_over', handed_over_at = ${now}, attempts = d.attempts + 1,
          lease_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'
      from rows from (unnest(${shared.ids}), ${texts(claims.map((claim) => claim.address))}) as c (id, address)
      where ${shared.holds} and d.state = 'claimed' and d.lease_until > clock_timestamp()
        and exists (select from subscribers s
                    where s.id = d.subscriber_id and s.state = 'active' and s.email is not null
                      -- an envelope writes domains in ASCII: others can't be compared here
                      and (c.address is null or lower(s.email) = lower(c.address)
                           or octet_length(s.email) > char_length(s.email)))
      returning d.id
    ) select ${joinedIds} as ids from handed`.execute(database);
  const ids = new Set(splitIds<DigestId>(rows[0]?.ids));
  if (ids.size === claims.length) return { ids, skipped: new Map() };
  const rest = claims.filter((claim) => !ids.has(claim.id));
  return { ids, skipped: await skipInactive(database, rest, now) };
}

async function skipInactive(
  database: Database,
  claims: readonly Claim[],
  now: Date,
): Promise<Map<DigestId, SkipReason>> {
  const { table, holds } = sharedKeys(claims);
  const { rows } = await sql<{ id: DigestId; skip_reason: SkipReason }>`
    update digests d
    set state = 'skipped', finished_at = ${now}, lease_until = null,
        skip_reason = case when s.id is null or s.email is null then 'address-gone'
                           when s.state = 'paused' then 'paused' else 'unsubscribed' end
    from ${table}
    left join lateral (select s.id, s.email, s.state from digests r join subscribers s on s.id = r.subscriber_id
                       where r.id = c.id) s on true
    where ${holds} and d.state = 'claimed' and d.lease_until > clock_timestamp()
      and (s.id is null or s.email is null or s.state <> 'active')
    returning d.id, d.skip_reason`.execute(database);
  return new Map(rows.map((row) => [row.id, row.skip_reason]));
}

async function renewRows(database: Database, claims: readonly Claim[], leaseMs: number) {
  if (claims.length === 0) return new Set<DigestId>();
  const { table, holds } = sharedKeys(claims);
  const { rows } = await sql<{ id: DigestId }>`
    update digests d set lease_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'
    from ${table}
    where ${holds} and d.state in ('claimed', 'handed_over')
    returning d.id`.execute(database);
  return new Set(rows.map((row) => row.id));
}

/** Results may be of several claims, though a delivery's never are: each claim's are one statement. */
async function recordRows(database: Database, results: readonly DigestResult[], now: Date) {
  const written = new Set<DigestId>();
  const claims = Map.groupBy(results, (result) => `${result.leaseToken} ${result.editionDate}`);
  for (const group of claims.values()) {
    const sent = group.every((result) => result.state === 'sent');
    for (const id of await (sent ? recordSent : recordAny)(database, group, now)) written.add(id);
  }
  return written;
}

/** Without addresses: a row outlives the erasure of its reader. */
const replyOf = (result: DigestResult) =>
  'reply' in result ? withoutAddresses(result.reply).slice(0, REPLY_LENGTH) : undefined;

/** A row given up meanwhile is taken back from `unknown`. */
const RECORDABLE = sql`d.state in ('claimed', 'handed_over', 'unknown')`;

/** What nearly every window is, at half the cost of {@link recordAny}. */
async function recordSent(database: Database, results: readonly DigestResult[], now: Date) {
  const { ids, holds } = sharedKeys(results);
  const { rows } = await sql<{ ids: string | null }>`${PREPARED}
    with recorded as (
      update digests d
      set state = 'sent', reply = coalesce(c.reply, d.reply), skip_reason = null, lease_until = null, in_doubt = false,
          finished_at = ${now}
      from rows from (unnest(${ids}), ${texts(results.map(replyOf))}) as c (id, reply)
      where ${holds} and ${RECORDABLE}
      returning d.id
    ) select ${joinedIds} as ids from recorded`.execute(database);
  return splitIds<DigestId>(rows[0]?.ids);
}

async function recordAny(database: Database, results: readonly DigestResult[], now: Date) {
  const { ids, holds } = sharedKeys(results);
  const dueAt = results.map((result) => ('dueAt' in result ? result.dueAt?.getTime() : undefined));
  const { rows } = await sql<{ ids: string | null }>`${PREPARED}
    with recorded as (
      update digests d
      set state = c.state, reply = coalesce(c.reply, d.reply), skip_reason = c.reason, lease_until = null,
          attempts = case when c.state = 'planned' and d.state = 'handed_over' then greatest(d.attempts - 1, 0)
                          else d.attempts end,
          due_at = coalesce(to_timestamp(c.due_ms::float8 / 1000), d.due_at), in_doubt = c.state = 'unknown',
          finished_at = case when c.state in ('planned', 'deferred') then null else ${now}::timestamptz end
      from rows from (
        unnest(${ids}, ${bigints(dueAt)}), ${texts(results.map((result) => result.state))},
        ${texts(results.map(replyOf))}, ${texts(results.map((result) => ('reason' in result ? result.reason : undefined)))}
      ) as c (id, due_ms, state, reply, reason)
      where ${holds} and ${RECORDABLE}
      returning d.id
    ) select ${joinedIds} as ids from recorded`.execute(database);
  return splitIds<DigestId>(rows[0]?.ids);
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
