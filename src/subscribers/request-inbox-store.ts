import { sql } from 'kysely';
import { PREPARED } from '#src/database/columns.ts';
import type { Queryable } from '#src/database/database.ts';
import type { Visit } from './ports.ts';

/** A request for a subscription that waits to be worked off. */
export type WaitingRequest = {
  readonly address: { readonly email: string; readonly key: string };
  /** JSON: what was asked for with it. */
  readonly choices: object;
  readonly visit: Visit;
  readonly requestedAt: Date;
};

/** Writes requests in one statement. */
export async function addRequests(db: Queryable, requests: readonly WaitingRequest[]): Promise<void> {
  await sql`${PREPARED}
    insert into subscription_requests (email, email_key, choices, ip, user_agent, requested_at)
    select email, key, choices, ip, user_agent, requested_at from unnest(
      ${requests.map((request) => request.address.email)}::text[],
      ${requests.map((request) => request.address.key)}::text[],
      ${requests.map((request) => JSON.stringify(request.choices))}::jsonb[],
      ${requests.map((request) => request.visit.ip)}::inet[],
      ${requests.map((request) => request.visit.userAgent?.slice(0, 300) ?? null)}::text[],
      ${requests.map((request) => request.requestedAt.toISOString())}::timestamptz[]
    ) as given (email, key, choices, ip, user_agent, requested_at)`.execute(db);
}

/** Takes the oldest requests out of the inbox, at most `limit`; those that another process takes are left to it. */
export async function takeRequests(tx: Queryable, limit: number): Promise<WaitingRequest[]> {
  const { rows } = await sql<Row>`${PREPARED}
    with taken as (
      delete from subscription_requests where id = any(array(
        select id from subscription_requests order by id limit ${limit}::int for update skip locked))
      returning id, email, email_key, choices, ip, user_agent, requested_at
    ) select email, email_key, choices, ip, user_agent, requested_at from taken order by id`.execute(tx);
  return rows.map((row) => ({
    address: { email: row.email, key: row.email_key },
    choices: row.choices,
    visit: { ip: row.ip, userAgent: row.user_agent },
    requestedAt: row.requested_at,
  }));
}

type Row = {
  email: string;
  email_key: string;
  choices: object;
  ip: string | null;
  user_agent: string | null;
  requested_at: Date;
};
