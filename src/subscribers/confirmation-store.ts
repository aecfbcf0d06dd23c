import { sql } from 'kysely';
import type { Queryable } from '#src/database/database.ts';
import type { SubscriberId } from '#src/database/ids.ts';
import type { ConfirmationPurpose } from './tokens.ts';

/** A confirmation to be written. Its id is taken beforehand, because the token derives from it. */
export type NewConfirmation = {
  readonly id: number;
  readonly subscriberId: SubscriberId;
  readonly purpose: ConfirmationPurpose;
  readonly tokenHash: Buffer;
  readonly newEmail: string | null;
  readonly consentText: string;
  /** JSON: what was asked for with it. */
  readonly request: object;
  readonly expiresAt: Date;
};

/** A confirmation as stored. */
export type Confirmation = Omit<NewConfirmation, 'tokenHash' | 'request'> & {
  readonly request: unknown;
  readonly usedAt: Date | null;
};

/** Takes `count` ids from the sequence. */
export async function takeConfirmationIds(tx: Queryable, count: number): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    select nextval(pg_get_serial_sequence('confirmations', 'id')) as id from generate_series(1, ${count}::int)`.execute(
    tx,
  );
  return rows.map((row) => row.id);
}

/** Writes confirmations in one statement. */
export async function insertConfirmations(
  tx: Queryable,
  rows: readonly NewConfirmation[],
  now: Date,
): Promise<void> {
  if (rows.length === 0) return;
  await sql`
    insert into confirmations
      (id, subscriber_id, purpose, token_hash, new_email, consent_text, request, created_at, expires_at)
    overriding system value
    select id, subscriber_id, purpose, token_hash, new_email, consent_text, request, ${now}, expires_at from unnest(
      ${rows.map((row) => row.id)}::bigint[],
      ${rows.map((row) => row.subscriberId)}::bigint[],
      ${rows.map((row) => row.purpose)}::text[],
      ${rows.map((row) => row.tokenHash)}::bytea[],
      ${rows.map((row) => row.newEmail)}::text[],
      ${rows.map((row) => row.consentText)}::text[],
      ${rows.map((row) => JSON.stringify(row.request))}::jsonb[],
      ${rows.map((row) => row.expiresAt.toISOString())}::timestamptz[]
    ) as new (id, subscriber_id, purpose, token_hash, new_email, consent_text, request, expires_at)`.execute(
    tx,
  );
}

/** A confirmation by the hash of its token. `lock`: for the length of the transaction. */
export async function findConfirmation(
  db: Queryable,
  tokenHash: Buffer,
  options: { lock?: boolean } = {},
): Promise<Confirmation | undefined> {
  const query = db.selectFrom('confirmations').selectAll().where('token_hash', '=', tokenHash);
  const row = await (options.lock ? query.forUpdate() : query).executeTakeFirst();
  return (
    row && {
      id: row.id,
      subscriberId: row.subscriber_id as SubscriberId,
      purpose: row.purpose as ConfirmationPurpose,
      newEmail: row.new_email,
      consentText: row.consent_text,
      request: row.request,
      expiresAt: row.expires_at,
      usedAt: row.used_at,
    }
  );
}

/** Marks one as used: from now on its token is good for nothing. */
export async function useConfirmation(tx: Queryable, id: number, now: Date): Promise<void> {
  await tx.updateTable('confirmations').set({ used_at: now }).where('id', '=', id).execute();
}

/** How many confirmations of a change to `newEmail` its reader has agreed to (one from each address), still in force. */
export async function countAgreed(tx: Queryable, pair: string): Promise<number> {
  const { count } = await tx
    .selectFrom('confirmations')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('purpose', '=', 'change-address')
    .where('used_at', 'is not', null)
    .where(sql<string>`request ->> 'pair'`, '=', pair)
    .executeTakeFirstOrThrow();
  return count;
}

/** Removes what expired before `before`, and pending readers who then have nothing left to confirm. */
export async function removeExpired(
  tx: Queryable,
  before: Date,
): Promise<{ confirmations: number; pending: number }> {
  const confirmations = await tx
    .deleteFrom('confirmations')
    .where('expires_at', '<', before)
    .executeTakeFirst();
  const pending = await sql`
    delete from subscribers where state = 'pending' and created_at < ${before}
      and not exists (select 1 from confirmations where subscriber_id = subscribers.id)`.execute(tx);
  return {
    confirmations: Number(confirmations.numDeletedRows),
    pending: Number(pending.numAffectedRows ?? 0),
  };
}
