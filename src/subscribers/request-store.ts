import { sql } from 'kysely';
import { PREPARED } from '#src/database/columns.ts';
import type { Queryable } from '#src/database/database.ts';
import type { NoticeId } from '#src/database/ids.ts';
import { insertNoticesOf } from '#src/mail/notice-store.ts';
import type { Visit } from './ports.ts';

/** A request for a subscription that is to be written. */
export type NewRequest = {
  readonly address: { readonly email: string; readonly key: string };
  /** JSON: what was asked for with it. */
  readonly choices: object;
  readonly visit: Visit;
  readonly requestedAt: Date;
  /** Below every cap: else it is only noted. */
  readonly allowed: boolean;
  /** Gets a confirmation and its mail. */
  readonly mailed: boolean;
  /** Taken beforehand, because the token derives from it. */
  readonly confirmationId: number;
  readonly tokenHash: Buffer;
};

/** What the requests of a batch have in common. */
type Common = { readonly now: Date; readonly expiresAt: Date; readonly consentText: string };

/** More often than this no address is made by others while a statement runs. */
const TRIES = 5;

/**
 * Writes requests: pending readers for addresses that are new (known readers are left as they are), confirmations,
 * their mails, and an event for each. One statement, hence all or nothing.
 * @returns ids of the mails
 */
export async function insertRequests(
  db: Queryable,
  requests: readonly NewRequest[],
  common: Common,
): Promise<NoticeId[]> {
  const notices: NoticeId[] = [];
  let rest = requests;
  for (let i = 0; rest.length > 0; i++) {
    if (i === TRIES) throw new Error('readers appeared and vanished while they were written');
    const written = await insertOnce(db, rest, common);
    notices.push(...written.notices);
    // Made by somebody else while the statement ran: it neither made nor saw them.
    const unseen = new Set(written.unseen);
    rest = rest.filter((request) => unseen.has(request.address.key));
  }
  return notices;
}

async function insertOnce(db: Queryable, requests: readonly NewRequest[], common: Common) {
  const { now, expiresAt, consentText } = common;
  const mails = insertNoticesOf(
    { kind: 'confirm' },
    sql`select reader.id as subscriber, reader.email, reader.language,
               jsonb_build_object('confirmationId', confirmation) as parameters
        from wanted join reader using (key) where mailed`,
    now,
  );
  // Ordered, so that two batches with the same addresses wait for each other instead of deadlocking.
  const { rows } = await sql<{ notices: NoticeId[]; unseen: string[] }>`${PREPARED}
    with wanted as materialized (
      select * from unnest(
        ${requests.map((request) => request.address.email)}::text[],
        ${requests.map((request) => request.address.key)}::text[],
        ${requests.map((request) => request.allowed)}::boolean[],
        ${requests.map((request) => request.mailed)}::boolean[],
        ${requests.map((request) => request.confirmationId)}::bigint[],
        ${requests.map((request) => request.tokenHash)}::bytea[],
        ${requests.map((request) => JSON.stringify(request.choices))}::jsonb[],
        ${requests.map((request) => request.visit.ip)}::inet[],
        ${requests.map((request) => request.visit.userAgent?.slice(0, 300) ?? null)}::text[],
        ${requests.map((request) => request.requestedAt.toISOString())}::timestamptz[]
      ) as given (email, key, allowed, mailed, confirmation, token_hash, choices, ip, user_agent, requested_at)
    ), made as (
      insert into subscribers (email, email_key, state, created_at, updated_at)
      select distinct on (key) email, key, 'pending', ${now}, ${now} from wanted where allowed order by key
      on conflict (email_key) do nothing
      returning id, email, language, email_key as key
    ), reader as materialized (
      select * from made
      union all
      -- "limit" so that each key is looked up in the index, though this was planned when the table was small
      select known.* from (select distinct key from wanted) as each
      cross join lateral (
        select id, email, language, email_key from subscribers where email_key = each.key limit 1) as known
    ), confirmed as (
      insert into confirmations
        (id, subscriber_id, purpose, token_hash, consent_text, request, created_at, expires_at)
      overriding system value
      select confirmation, reader.id, 'subscribe', token_hash, ${consentText}, choices, ${now}, ${expiresAt}
      from wanted join reader using (key) where mailed
    ), noted as (
      insert into events (subscriber_id, kind, at, ip, user_agent)
      select reader.id, case when allowed then 'requested' else 'request-capped' end, requested_at, ip, user_agent
      from wanted left join reader using (key) where reader.id is not null or not allowed
    ), mail as (${mails})
    select array(select id from mail) as notices,
           array(select key from wanted left join reader using (key) where allowed and reader.id is null) as unseen`.execute(
    db,
  );
  return rows[0] ?? { notices: [], unseen: [] };
}
