import { sql } from 'kysely';
import type { Database, Queryable } from '#src/database/database.ts';
import type { DigestId, IsoDate, PaperId, SubscriberId } from '#src/database/ids.ts';
import {
  type ClaimedDigest,
  contentOf,
  type DigestKind,
  type DigestState,
  type PlannedDigest,
  type SkipReason,
} from './digest.ts';

/** Ledger rows of one edition by id, both ends included: what a job holds. */
export type DigestRange = { readonly editionDate: IsoDate; readonly from: number; readonly to: number };

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

// Due at once also where an operator plans as if it were tomorrow (`plan --now`).
async function insertRows(db: Queryable, rows: readonly PlannedDigest[], now: Date) {
  if (rows.length === 0) return [];
  // A parameter per column, its values on lines of their own: a third of the CPU, here and there, of one JSON document.
  const result = await sql<{ id: DigestId; subscriber: SubscriberId; edition: IsoDate; state: 'planned' }>`
    with given as materialized (
      select nextval('digest_ids') as id, r.* from (
        select * from rows from (
          ${lines(rows, (row) => row.editionDate)}, ${lines(rows, (row) => row.subscriberId)},
          ${lines(rows, (row) => row.kind)}, ${lines(rows, (row) => row.skip ?? '')},
          ${lines(rows, (row) => `{${row.content.paperIds.join(',')}}`)},
          ${lines(rows, (row) => JSON.stringify(row.content.reasons))},
          ${lines(rows, (row) => row.content.candidates)}, ${lines(rows, (row) => row.content.had ?? '')},
          ${lines(rows, (row) => row.slotAt.toISOString())}, ${lines(rows, (row) => row.deadline.toISOString())}
        ) with ordinality as l (edition, subscriber, kind, skip, papers, reasons, candidates, had, slot_at, deadline, n)
        order by n
      ) r
    ), written as (
      insert into digests (id, edition_date, subscriber_id, kind, state, skip_reason, paper_ids,
                           slot_at, due_at, deadline, finished_at)
      select id, edition::date, subscriber::bigint, kind, case when skip is null then 'planned' else 'skipped' end, skip,
             papers::bigint[], slot_at::timestamptz, least(slot_at::timestamptz, clock_timestamp()),
             deadline::timestamptz, case when skip is not null then ${now}::timestamptz end
      from given order by id
      on conflict (subscriber_id, edition_date) do nothing
      returning id, edition_date, subscriber_id, state
    ), contents as (
      insert into digest_contents (digest_id, edition_date, reasons, candidates, had)
      select id, edition_date, reasons::json, candidates::int, had::int
      from written join given using (id) order by id
    )
    select id, edition_date as edition, subscriber_id as subscriber, state from written order by id`.execute(
    db,
  );
  return result.rows.map((row) => ({
    id: row.id,
    editionDate: row.edition,
    subscriberId: row.subscriber,
    state: row.state,
  }));
}

/** One value of each row as a set; '' is null. No value may hold a line end (JSON escapes them). */
const lines = (rows: readonly PlannedDigest[], value: (row: PlannedDigest) => string | number) =>
  sql`string_to_table(${rows.map(value).join('\n')}, E'\n', '')`;

type ClaimedRow = {
  id: DigestId;
  edition_date: IsoDate;
  subscriber_id: SubscriberId;
  kind: DigestKind;
  paper_ids: PaperId[];
  reasons: string | null;
  candidates: number | null;
  had: number | null;
  slot_at: Date;
  deadline: Date;
  attempts: number;
  lease_token: number;
};

async function claimRows(
  database: Database,
  range: DigestRange,
  options: { readonly limit: number; readonly leaseMs: number },
  now: Date,
): Promise<ClaimedDigest[]> {
  const { rows } = await sql<ClaimedRow>`
    with lease as materialized (select nextval('lease_tokens') as token),
    picked as materialized (
      select id from digests
      where edition_date = ${range.editionDate}::date and id between ${range.from} and ${range.to}
        and state in ('planned', 'deferred') and due_at <= ${now} and deadline > ${now}
      order by id limit ${options.limit} for update skip locked
    ), claimed as (
      update digests d
      set state = 'claimed', lease_token = lease.token,
          lease_until = clock_timestamp() + ${options.leaseMs}::float8 * interval '1 ms'
      from picked, lease
      where d.id = picked.id and d.edition_date = ${range.editionDate}::date
        and d.id between ${range.from} and ${range.to}
      returning d.*
    )
    select c.id, c.edition_date, c.subscriber_id, c.kind, c.paper_ids, t.reasons::text, t.candidates, t.had, c.slot_at,
           c.deadline, c.attempts, c.lease_token
    from claimed c left join digest_contents t on t.digest_id = c.id
      and t.edition_date = ${range.editionDate}::date and t.digest_id between ${range.from} and ${range.to}
    order by c.id`.execute(database);
  return rows.map(toClaimed);
}

const toClaimed = (row: ClaimedRow): ClaimedDigest => ({
  id: row.id,
  editionDate: row.edition_date,
  subscriberId: row.subscriber_id,
  kind: row.kind,
  content: contentOf(row.paper_ids, row),
  slotAt: row.slot_at,
  deadline: row.deadline,
  attempts: row.attempts,
  leaseToken: row.lease_token,
});

/**
 * The claims as a table `c (id)`, and what all of them have in common: rows of one claim are of one edition and carry
 * one token. The bounds keep the planner at a range of the primary key, whatever it believes of the table's size.
 */
function sharedKeys(claims: readonly Claim[]) {
  const { editionDate, leaseToken } = claims[0] as Claim;
  const ids = claims.map((claim) => claim.id);
  if (claims.some((claim) => claim.leaseToken !== leaseToken))
    throw new RangeError('rows of different claims');
  return {
    table: sql`unnest(${`{${ids.join(',')}}`}::bigint[]) as c (id)`,
    holds: sql`d.id = c.id and d.edition_date = ${editionDate}::date and d.lease_token = ${leaseToken}
      and d.id between ${Math.min(...ids)} and ${Math.max(...ids)}`,
  };
}

async function handOverRows(
  database: Database,
  claims: readonly AddressedClaim[],
  leaseMs: number,
  now: Date,
): Promise<HandOver> {
  if (claims.length === 0) return { ids: new Set(), skipped: new Map() };
  const { holds } = sharedKeys(claims);
  // The reader's state is looked at in the same statement: who left until now is not mailed.
  const { rows } = await sql<{ id: DigestId }>`
    update digests d
    set state = 'handed_over', handed_over_at = ${now}, attempts = d.attempts + 1,
        lease_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'
    from unnest(${`{${claims.map((claim) => claim.id).join(',')}}`}::bigint[],
                ${claims.map((claim) => claim.address ?? null)}::text[]) as c (id, address)
    where ${holds} and d.state = 'claimed' and d.lease_until > clock_timestamp()
      and exists (select from subscribers s
                  where s.id = d.subscriber_id and s.state = 'active' and s.email is not null
                    -- an envelope writes domains in ASCII: others can't be compared here
                    and (c.address is null or lower(s.email) = lower(c.address)
                         or octet_length(s.email) > char_length(s.email)))
    returning d.id`.execute(database);
  const ids = new Set(rows.map((row) => row.id));
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

async function recordRows(database: Database, results: readonly DigestResult[], now: Date) {
  if (results.length === 0) return new Set<DigestId>();
  const ids = results.map((result) => result.id);
  const { rows } = await sql<{ id: DigestId }>`
    update digests d
    set state = r.state, reply = coalesce(r.reply, d.reply), skip_reason = r.reason, lease_until = null,
        attempts = case when r.state = 'planned' and d.state = 'handed_over' then greatest(d.attempts - 1, 0) else d.attempts end,
        due_at = coalesce(r.due_at, d.due_at), in_doubt = r.state = 'unknown',
        finished_at = case when r.state in ('planned', 'deferred') then null else ${now}::timestamptz end
    from unnest(
      ${`{${ids.join(',')}}`}::bigint[],
      ${`{${results.map((result) => result.editionDate).join(',')}}`}::date[],
      ${`{${results.map((result) => result.leaseToken).join(',')}}`}::bigint[],
      ${`{${results.map((result) => result.state).join(',')}}`}::text[],
      ${results.map((result) => ('reply' in result ? result.reply.slice(0, REPLY_LENGTH) : null))}::text[],
      ${results.map((result) => ('reason' in result ? result.reason : null))}::text[],
      ${results.map((result) => ('dueAt' in result ? result.dueAt : null))}::timestamptz[]
    ) as r (id, edition_date, token, state, reply, reason, due_at)
    where d.id = r.id and d.edition_date = r.edition_date and d.lease_token = r.token
      and d.id between ${Math.min(...ids)} and ${Math.max(...ids)} and d.edition_date = any (${editionsOf(results)}::date[])
      and d.state in ('claimed', 'handed_over', 'unknown')
    returning d.id`.execute(database);
  return new Set(rows.map((row) => row.id));
}

const editionsOf = (claims: readonly Claim[]) => [...new Set(claims.map((claim) => claim.editionDate))];

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
