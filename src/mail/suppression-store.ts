import { sql } from 'kysely';
import { PREPARED, texts } from '#src/database/columns.ts';
import type { Queryable } from '#src/database/database.ts';
import { createHmac } from './hmac.ts';
import { withoutAddresses } from './redact.ts';

/** Why an address must not be mailed. */
export type SuppressionReason = 'unsubscribed' | 'hard_bounce' | 'complaint' | 'operator';

/**
 * Addresses that must not be mailed. They are named by their comparison form (`email_key`, see {@link addressKey}) and
 * stored as a keyed hash, which outlives the erasure of the address and can't be read back.
 */
export type SuppressionStore = {
  /** Those of `keys` that are suppressed, with the reason. */
  among(db: Queryable, keys: readonly string[]): Promise<Map<string, SuppressionReason>>;
  /**
   * Suppresses an address; a stronger reason replaces `unsubscribed`, otherwise the first one stays.
   * @param detail what the other side said, for the operator; addresses in it are left out, since the row outlives their erasure
   */
  add(db: Queryable, key: string, reason: SuppressionReason, now: Date, detail?: string): Promise<void>;
  /** Takes back an `unsubscribed`, when the reader subscribes again; other reasons stay. */
  forgive(db: Queryable, key: string): Promise<void>;
};

/** The comparison form of an address: NFC, lower case. The domain is expected in ASCII, as addresses are stored. */
export const addressKey = (address: string): string => address.normalize('NFC').toLowerCase();

/** @param hashKey secret of HMAC-SHA-256; changing it forgets every suppression */
export function createSuppressionStore({ hashKey }: { hashKey: string | Buffer }): SuppressionStore {
  const hmac = createHmac('sha256', hashKey);
  const hexOf = (key: string) => hmac(`suppression\n${key}`, 'hex');
  const hash = (key: string) => Buffer.from(hexOf(key), 'hex');
  return {
    among: (db, keys) => selectAmong(db, keys, hexOf),
    add: async (db, key, reason, now, detail) => {
      await sql`
        insert into suppressions (address_hash, reason, detail, created_at)
        values (${hash(key)}, ${reason}, ${detail ? withoutAddresses(detail).slice(0, 500) : null}, ${now})
        on conflict (address_hash) do update set reason = excluded.reason, detail = excluded.detail
        where suppressions.reason = 'unsubscribed' and excluded.reason <> 'unsubscribed'`.execute(db);
    },
    forgive: async (db, key) => {
      await sql`
        delete from suppressions where address_hash = ${hash(key)} and reason = 'unsubscribed'`.execute(db);
    },
  };
}

async function selectAmong(db: Queryable, keys: readonly string[], hexOf: (key: string) => string) {
  const found = new Map<string, SuppressionReason>();
  if (keys.length === 0) return found;
  const byHash = new Map(keys.map((key) => [hexOf(key), key]));
  const { rows } = await sql<{ hash: string; reason: SuppressionReason }>`${PREPARED}
    select encode(address_hash, 'hex') as hash, reason from suppressions
    where address_hash = any (select decode(hex, 'hex') from ${texts([...byHash.keys()])} as hex)`.execute(
    db,
  );
  for (const row of rows) {
    const key = byHash.get(row.hash);
    if (key !== undefined) found.set(key, row.reason);
  }
  return found;
}
