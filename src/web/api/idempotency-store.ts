import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';

/** What an Idempotency-Key turned out to be. */
export type IdempotencyState =
  /** First seen: do the work, then {@link IdempotencyStore.finish} it. */
  | { readonly type: 'new' }
  /** Done before: the same answer again. */
  | { readonly type: 'done'; readonly status: number; readonly body: unknown }
  /** The first request is at work. */
  | { readonly type: 'running' }
  /** Used for another request. */
  | { readonly type: 'mismatch' };

/** Remembers answers to writes. */
export type IdempotencyStore = ReturnType<typeof createIdempotencyStore>;

/** A request that has not answered after this long has died. */
const STUCK_SECONDS = 120;

/** Answers of writes by API key and Idempotency-Key (draft-ietf-httpapi-idempotency-key-header). */
export function createIdempotencyStore({ database }: { readonly database: Database }) {
  return {
    async begin(apiKeyId: number, key: string, requestHash: Buffer): Promise<IdempotencyState> {
      const { rows } = await sql`
        insert into idempotency_keys (api_key_id, key, request_hash) values (${apiKeyId}, ${key}, ${requestHash})
        on conflict (api_key_id, key) do update set created_at = now()
          where idempotency_keys.status is null and idempotency_keys.request_hash = excluded.request_hash
            and idempotency_keys.created_at < now() - ${STUCK_SECONDS} * interval '1 s'
        returning key`.execute(database);
      if (rows.length > 0) return { type: 'new' };
      const known = await database
        .selectFrom('idempotency_keys')
        .select(['request_hash', 'status', 'body'])
        .where('api_key_id', '=', apiKeyId)
        .where('key', '=', key)
        .executeTakeFirst();
      // Gone in between: its request failed, this one may try.
      if (!known) return { type: 'running' };
      if (!known.request_hash.equals(requestHash)) return { type: 'mismatch' };
      return known.status === null
        ? { type: 'running' }
        : { type: 'done', status: known.status, body: known.body };
    },

    /** Keeps the answer; a failure of ours (5xx) is forgotten, so that the same key may be tried again. */
    async finish(apiKeyId: number, key: string, status: number, body: string): Promise<void> {
      const where = sql`api_key_id = ${apiKeyId} and key = ${key}`;
      if (status >= 500) await sql`delete from idempotency_keys where ${where}`.execute(database);
      else
        await sql`update idempotency_keys set status = ${status}, body = ${body || 'null'}::jsonb where ${where}`.execute(
          database,
        );
    },

    /** Forgets answers given before an instant. */
    async removeBefore(before: Date): Promise<void> {
      await database.deleteFrom('idempotency_keys').where('created_at', '<', before).execute();
    },
  };
}
