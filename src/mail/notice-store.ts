import { type RawBuilder, sql } from 'kysely';
import type { Database, Queryable } from '#src/database/database.ts';
import { heldTokensOf } from '#src/database/held-tokens.ts';
import type { NoticeId, SubscriberId } from '#src/database/ids.ts';
import type { Notice, NoticeKind } from './notice.ts';
import {
  recoverNotices,
  releaseWhere,
  selectIdleHolders,
  selectIdleTokens,
  settleNotices,
} from './notice-recovery-store.ts';
import { withoutAddresses } from './redact.ts';

/** A transactional mail to be planned. `subscriberId` is null for mails to nobody's row, such as the operator's test. */
export type PlannedNotice = {
  readonly subscriberId: SubscriberId | null;
  readonly email: string;
  readonly language: string;
  readonly notice: Notice;
};

/** A notice this process holds. */
export type ClaimedNotice = PlannedNotice & {
  readonly id: NoticeId;
  /** Attempts before this one. */
  readonly attempts: number;
  readonly deadline: Date;
  readonly leaseToken: number;
};

/** Names a claimed notice. */
export type NoticeClaim = Pick<ClaimedNotice, 'id' | 'leaseToken'>;

/** What became of a claimed notice. */
export type NoticeResult = NoticeClaim &
  (
    | { readonly state: 'sent' | 'failed' | 'unknown' | 'skipped'; readonly reply: string }
    | { readonly state: 'deferred'; readonly reply: string; readonly dueAt: Date }
  );

/**
 * What one claim of notices has put on the wire, in a local file that survives `kill -9` of this process: the ledger says
 * what was handed over, the journal what of it was really begun.
 */
export type NoticeJournal = {
  /** The content is about to be written. @throws the file system's error: then it must not be written */
  begin(id: NoticeId): void;
  /** Its fate is known. */
  end(result: NoticeResult): void;
  /** Everything is recorded: the file goes away. */
  close(): void;
  /** Something is not: the file stays until it is settled. */
  abandon(): void;
};

/** What the journal of a claim says that its process did not come to settle. */
export type BrokenNoticeClaim = {
  readonly leaseToken: number;
  /** Notices whose content was begun, without an answer known. */
  readonly begun: readonly NoticeId[];
};

/** The ledger of transactional mails: the states of digests, one row at a time. */
export type NoticeStore = {
  /** Writes rows in the caller's transaction; enqueue after its commit. @returns ids in the order of the input */
  plan(tx: Queryable, notices: readonly PlannedNotice[], now: Date): Promise<NoticeId[]>;
  /**
   * Takes those of `ids` that are due and before their deadline, for `leaseMs` milliseconds, all under one token. Say
   * {@link NoticeStore.drop} when they are recorded or given up.
   */
  claim(ids: readonly NoticeId[], leaseMs: number): Promise<ClaimedNotice[]>;
  /** Nothing more is done here under this token. */
  drop(leaseToken: number): void;
  /** Commits `handed_over`; false when the lease is lost and the notice must not be sent. */
  handOver(notice: NoticeClaim, leaseMs: number): Promise<boolean>;
  /** Lengthens the lease of a notice on its way; false when it is lost. */
  renew(notice: NoticeClaim, leaseMs: number): Promise<boolean>;
  /** Records a result where the token still holds; answers whether it did. */
  record(result: NoticeResult): Promise<boolean>;
  /**
   * Puts the ledger right: lapsed leases (`claimed` → `planned`, `handed_over` → `unknown`, and that once more to
   * `planned` when `resend`), deadlines passed → `skipped`.
   * @returns ids that are due, at most 1,000
   */
  recover(options: { readonly resend: boolean; readonly waitMs: number }): Promise<NoticeId[]>;
  /**
   * Settles what a claim left open: the notices in `begun` may have been on the wire and are `unknown`, all others of it
   * were not. @returns those that are free again
   */
  settleClaim(claim: BrokenNoticeClaim): Promise<{ readonly unknown: number; readonly freed: NoticeId[] }>;
  /** Who holds notices that were not handed over; names as this store's `holder`. */
  idleHolders(): Promise<string[]>;
  /** Frees such notices of holders that are gone. @returns which */
  releaseIdle(holders: readonly string[]): Promise<NoticeId[]>;
  /** Frees those that this process took by a statement whose answer never came. @returns which */
  releaseStrays(): Promise<NoticeId[]>;
  /** Removes notices that were done with before `before`, 10,000 at most. @returns how many */
  removeFinished(before: Date): Promise<number>;
};

const HOUR = 3_600_000;
/** After this a notice is worthless to its reader, in milliseconds. A confirmation is asked for again instead. */
const lifetime = (kind: NoticeKind) => (kind === 'confirm' || kind === 'confirm-address' ? 6 : 48) * HOUR;

/**
 * Opens the store. Due times follow `now`; leases follow the database's own clock. `holder` names who claims; without a
 * name what it leaves behind waits for its lease.
 */
export function createNoticeStore(deps: {
  database: Database;
  now: () => Date;
  holder?: string;
}): NoticeStore {
  const { database, holder = null } = deps;
  const tokens = heldTokensOf(database);
  return {
    plan: insertNotices,
    claim: (ids, leaseMs) =>
      tokens.take(
        () => claimNotices(database, ids, { leaseMs, holder }, deps.now()),
        ([first]) => first?.leaseToken,
      ),
    drop: tokens.drop,
    settleClaim: (claim) => settleNotices(database, claim, deps.now()),
    idleHolders: () => selectIdleHolders(database),
    releaseIdle: (holders) => releaseWhere(database, sql`holder = any (${[...holders]}::text[])`),
    releaseStrays: async () => {
      const strays = await tokens.strays(() => selectIdleTokens(database, holder));
      return strays.length === 0 ? [] : releaseWhere(database, sql`lease_token = any (${strays}::bigint[])`);
    },
    handOver: async (notice, leaseMs) => {
      const result = await sql`
        update notices set state = 'handed_over', attempts = attempts + 1,
                           lease_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'
        where id = ${notice.id} and lease_token = ${notice.leaseToken} and state = 'claimed'
          and lease_until > clock_timestamp()`.execute(deps.database);
      return result.numAffectedRows === 1n;
    },
    renew: async (notice, leaseMs) => {
      const result = await sql`
        update notices set lease_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'
        where id = ${notice.id} and lease_token = ${notice.leaseToken} and state in ('claimed', 'handed_over')`.execute(
        deps.database,
      );
      return result.numAffectedRows === 1n;
    },
    record: (result) => recordNotice(deps.database, result, deps.now()),
    recover: (options) => recoverNotices(deps.database, options, deps.now()),
    removeFinished: async (before) => {
      const { numAffectedRows } = await sql`
        delete from notices where id in (
          select id from notices where finished_at < ${before} order by id limit 10000 for update skip locked
        )`.execute(deps.database);
      return Number(numAffectedRows ?? 0);
    },
  };
}

async function insertNotices(
  tx: Queryable,
  notices: readonly PlannedNotice[],
  now: Date,
): Promise<NoticeId[]> {
  if (notices.length === 0) return [];
  const parameters = notices.map(({ notice: { kind: _kind, ...rest } }) => JSON.stringify(rest));
  const deadlines = notices.map(({ notice }) =>
    new Date(now.getTime() + lifetime(notice.kind)).toISOString(),
  );
  // One statement for all: a burst of subscriptions plans hundreds. Rows get their ids in the order of the input.
  const { rows } = await sql<{ id: NoticeId }>`
    insert into notices (subscriber_id, kind, email, language, parameters, due_at, deadline, created_at)
    select subscriber, kind, email, language, parameters, ${now}, deadline, ${now}
    from unnest(
      ${notices.map((notice) => notice.subscriberId)}::bigint[],
      ${notices.map(({ notice }) => notice.kind)}::text[],
      ${notices.map((notice) => notice.email)}::text[],
      ${notices.map((notice) => notice.language)}::text[],
      ${parameters}::jsonb[], ${deadlines}::timestamptz[]
    ) with ordinality as given (subscriber, kind, email, language, parameters, deadline, n)
    order by n
    returning id`.execute(tx);
  return rows.map((row) => row.id).sort((one, other) => one - other);
}

/**
 * The statement that writes a notice for each row of `query` (columns `subscriber`, `email`, `language` and
 * `parameters`) and returns its `id`: to be part of the statement that makes the readers.
 */
export const insertNoticesOf = ({ kind }: Pick<Notice, 'kind'>, query: RawBuilder<unknown>, now: Date) =>
  sql<{ id: NoticeId }>`
    insert into notices (subscriber_id, kind, email, language, parameters, due_at, deadline, created_at)
    select subscriber, ${kind}, email, language, parameters, ${now}::timestamptz,
           ${new Date(now.getTime() + lifetime(kind))}::timestamptz, ${now}::timestamptz
    from (${query}) as given
    returning id`;

type ClaimedRow = {
  id: NoticeId;
  subscriber_id: SubscriberId | null;
  kind: NoticeKind;
  email: string;
  language: string;
  parameters: object;
  attempts: number;
  deadline: Date;
  lease_token: number;
};

async function claimNotices(
  database: Database,
  ids: readonly NoticeId[],
  { leaseMs, holder }: { readonly leaseMs: number; readonly holder: string | null },
  now: Date,
) {
  const { rows } = await sql<ClaimedRow>`
    with claim as materialized (select nextval('lease_tokens') as token)
    update notices set state = 'claimed', lease_token = (select token from claim), holder = ${holder},
                       lease_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'
    where id in (select id from notices
                 where id = any (${[...ids]}::bigint[]) and state in ('planned', 'deferred')
                   and due_at <= ${now} and deadline > ${now}
                 for update skip locked)
    returning id, subscriber_id, kind, email, language, parameters, attempts, deadline, lease_token`.execute(
    database,
  );
  return rows.map(
    (row): ClaimedNotice => ({
      id: row.id,
      subscriberId: row.subscriber_id,
      email: row.email,
      language: row.language,
      notice: { ...row.parameters, kind: row.kind } as Notice,
      attempts: row.attempts,
      deadline: row.deadline,
      leaseToken: row.lease_token,
    }),
  );
}

async function recordNotice(database: Database, result: NoticeResult, now: Date): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update notices set state = ${result.state}, reply = ${withoutAddresses(result.reply).slice(0, 500)}, lease_until = null,
           due_at = coalesce(${result.state === 'deferred' ? result.dueAt : null}::timestamptz, due_at),
           finished_at = ${result.state === 'deferred' ? null : now}::timestamptz
    where id = ${result.id} and lease_token = ${result.leaseToken}
      and state in ('claimed', 'handed_over', 'unknown')`.execute(database);
  return numAffectedRows === 1n;
}
