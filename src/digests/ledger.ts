import { sql } from 'kysely';
import type { Database, Queryable } from '#src/database/database.ts';
import type { DigestId, IsoDate, PaperId, SubscriberId } from '#src/database/ids.ts';
import type { Reason } from '#src/matching/types.ts';
import type { ClaimedDigest, DigestKind, DigestState, PlannedDigest, SkipReason } from './digest.ts';

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
  /**
   * Commits `handed_over` for claimed rows of one claim, before their DATA phase, and renews their lease. Rows whose
   * lease is lost are in neither part of the answer: another process has them.
   */
  handOver(claims: readonly Claim[], leaseMs: number): Promise<HandOver>;
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
    handOver: (claims, leaseMs) => handOverRows(database, claims, leaseMs, now()),
    renew: (claims, leaseMs) => renewRows(database, claims, leaseMs),
    record: (results) => recordRows(database, results, now()),
    seenPapers: selectSeenPapers,
  };
}

// Due at once also where an operator plans as if it were tomorrow (`plan --now`).
async function insertRows(db: Queryable, rows: readonly PlannedDigest[], now: Date) {
  if (rows.length === 0) return [];
  // One JSON parameter: an array per column costs the client twice the CPU, Kysely's values() three times.
  const result = await sql<{ id: DigestId; subscriber: SubscriberId; edition: IsoDate; state: 'planned' }>`
    insert into digests (edition_date, subscriber_id, kind, state, skip_reason, paper_ids, content,
                         slot_at, due_at, deadline, finished_at)
    select edition, subscriber, kind, case when skip is null then 'planned' else 'skipped' end, skip,
           papers, content, slot_at, least(slot_at, clock_timestamp()), deadline, case when skip is not null then ${now}::timestamptz end
    from rows from (json_to_recordset(${JSON.stringify(rows.map(toInsert))}::json) as (
      edition date, subscriber bigint, kind text, skip text, papers bigint[], content jsonb,
      slot_at timestamptz, deadline timestamptz)) with ordinality as r
        (edition, subscriber, kind, skip, papers, content, slot_at, deadline, n)
    order by n
    on conflict (subscriber_id, edition_date) do nothing
    returning id, edition_date as edition, subscriber_id as subscriber, state`.execute(db);
  return result.rows.map((row) => ({
    id: row.id,
    editionDate: row.edition,
    subscriberId: row.subscriber,
    state: row.state,
  }));
}

/** A row as its columns; paper ids have one of their own. */
const toInsert = ({ editionDate, subscriberId, kind, skip, content, slotAt, deadline }: PlannedDigest) => ({
  edition: editionDate,
  subscriber: subscriberId,
  kind,
  skip: skip ?? null,
  papers: content.paperIds,
  content: { reasons: content.reasons, candidates: content.candidates, had: content.had },
  slot_at: slotAt,
  deadline,
});

type ClaimedRow = {
  id: DigestId;
  edition_date: IsoDate;
  subscriber_id: SubscriberId;
  kind: DigestKind;
  paper_ids: PaperId[];
  content: { reasons?: Reason[][]; candidates?: number; had?: number };
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
      select id, edition_date from digests
      where edition_date = ${range.editionDate}::date and id between ${range.from} and ${range.to}
        and state in ('planned', 'deferred') and due_at <= ${now} and deadline > ${now}
      order by id limit ${options.limit} for update skip locked
    )
    update digests d
    set state = 'claimed', lease_token = lease.token,
        lease_until = clock_timestamp() + ${options.leaseMs}::float8 * interval '1 ms'
    from picked, lease
    where d.id = picked.id and d.edition_date = picked.edition_date
    returning d.id, d.edition_date, d.subscriber_id, d.kind, d.paper_ids, d.content, d.slot_at, d.deadline,
              d.attempts, d.lease_token`.execute(database);
  return rows.map(toClaimed).sort((a, b) => a.id - b.id);
}

const toClaimed = (row: ClaimedRow): ClaimedDigest => ({
  id: row.id,
  editionDate: row.edition_date,
  subscriberId: row.subscriber_id,
  kind: row.kind,
  content: {
    paperIds: row.paper_ids,
    reasons: row.content.reasons ?? [],
    candidates: row.content.candidates ?? 0,
    ...(row.content.had === undefined ? {} : { had: row.content.had }),
  },
  slotAt: row.slot_at,
  deadline: row.deadline,
  attempts: row.attempts,
  leaseToken: row.lease_token,
});

/** The columns of claims as arrays, for unnest. */
const keys = (claims: readonly Claim[]) => sql`unnest(
  ${claims.map((claim) => claim.id)}::bigint[],
  ${claims.map((claim) => claim.editionDate)}::date[],
  ${claims.map((claim) => claim.leaseToken)}::bigint[]) as c (id, edition_date, token)`;

async function handOverRows(
  database: Database,
  claims: readonly Claim[],
  leaseMs: number,
  now: Date,
): Promise<HandOver> {
  // The reader's state is looked at in the same statement: who left until now is not mailed.
  const { rows } = await sql<{ id: DigestId }>`
    update digests d
    set state = 'handed_over', handed_over_at = ${now}, attempts = d.attempts + 1,
        lease_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'
    from ${keys(claims)}
    where d.id = c.id and d.edition_date = c.edition_date and d.lease_token = c.token and d.state = 'claimed'
      and d.lease_until > clock_timestamp()
      and exists (select from subscribers s
                  where s.id = d.subscriber_id and s.state = 'active' and s.email is not null)
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
  const { rows } = await sql<{ id: DigestId; skip_reason: SkipReason }>`
    update digests d
    set state = 'skipped', finished_at = ${now}, lease_until = null,
        skip_reason = case when s.id is null or s.email is null then 'address-gone'
                           when s.state = 'paused' then 'paused' else 'unsubscribed' end
    from ${keys(claims)}
    left join lateral (select s.id, s.email, s.state from digests r join subscribers s on s.id = r.subscriber_id
                       where r.id = c.id and r.edition_date = c.edition_date) s on true
    where d.id = c.id and d.edition_date = c.edition_date and d.lease_token = c.token and d.state = 'claimed'
      and d.lease_until > clock_timestamp()
      and (s.id is null or s.email is null or s.state <> 'active')
    returning d.id, d.skip_reason`.execute(database);
  return new Map(rows.map((row) => [row.id, row.skip_reason]));
}

async function renewRows(database: Database, claims: readonly Claim[], leaseMs: number) {
  const { rows } = await sql<{ id: DigestId }>`
    update digests d set lease_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'
    from ${keys(claims)}
    where d.id = c.id and d.edition_date = c.edition_date and d.lease_token = c.token
      and d.state in ('claimed', 'handed_over')
    returning d.id`.execute(database);
  return new Set(rows.map((row) => row.id));
}

async function recordRows(database: Database, results: readonly DigestResult[], now: Date) {
  if (results.length === 0) return new Set<DigestId>();
  const { rows } = await sql<{ id: DigestId }>`
    update digests d
    set state = r.state, reply = coalesce(r.reply, d.reply), skip_reason = r.reason, lease_until = null,
        due_at = coalesce(r.due_at, d.due_at),
        finished_at = case when r.state in ('planned', 'deferred') then null else ${now}::timestamptz end
    from unnest(
      ${results.map((result) => result.id)}::bigint[],
      ${results.map((result) => result.editionDate)}::date[],
      ${results.map((result) => result.leaseToken)}::bigint[],
      ${results.map((result) => result.state)}::text[],
      ${results.map((result) => ('reply' in result ? result.reply.slice(0, REPLY_LENGTH) : null))}::text[],
      ${results.map((result) => ('reason' in result ? result.reason : null))}::text[],
      ${results.map((result) => ('dueAt' in result ? result.dueAt : null))}::timestamptz[]
    ) as r (id, edition_date, token, state, reply, reason, due_at)
    where d.id = r.id and d.edition_date = r.edition_date and d.lease_token = r.token
      and d.state in ('claimed', 'handed_over', 'unknown')
    returning d.id`.execute(database);
  return new Set(rows.map((row) => row.id));
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
