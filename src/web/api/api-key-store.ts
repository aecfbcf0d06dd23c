import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';

/** What a key may do. Reading papers and topics needs none. */
export const SCOPES = ['papers:write', 'topics:write', 'subscribers:read', 'subscribers:write'] as const;

/** See {@link SCOPES}. */
export type Scope = (typeof SCOPES)[number];

/** A key as stored: never the key itself. */
export type ApiKey = {
  readonly id: number;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
};

/** Keys of the HTTP API. */
export type ApiKeys = ReturnType<typeof createApiKeys>;

/** 256 random bits need no slow hash: SHA-256 is what is stored. */
const hashOf = (key: string): Buffer => createHash('sha256').update(key).digest();

/** `last_used_at` is written at most once in so many minutes. */
const USED_EVERY_MS = 10 * 60_000;

/** Makes, finds, lists and revokes API keys. */
export function createApiKeys({ database, now }: { readonly database: Database; readonly now: () => Date }) {
  return {
    /** Makes a key. `key` is shown this once and can't be read again. */
    async create(name: string, scopes: readonly Scope[]): Promise<{ key: string; id: number }> {
      const key = `pb_${randomBytes(32).toString('base64url')}`;
      const { id } = await database
        .insertInto('api_keys')
        .values({ name, key_hash: hashOf(key), scopes: [...scopes], created_at: now() })
        .returning('id')
        .executeTakeFirstOrThrow();
      return { key, id };
    },

    /** The key in force that hashes to this, or null for unknown and revoked ones. */
    async find(key: string): Promise<ApiKey | null> {
      const found = await select(database, sql`key_hash = ${hashOf(key)} and revoked_at is null`);
      const [row] = found;
      if (!row) return null;
      const at = now();
      if (!row.lastUsedAt || at.getTime() - row.lastUsedAt.getTime() > USED_EVERY_MS)
        await database.updateTable('api_keys').set({ last_used_at: at }).where('id', '=', row.id).execute();
      return row;
    },

    /** All keys, revoked ones included, oldest first. */
    list: (): Promise<ApiKey[]> => select(database, sql`true`),

    /** Ends a key; false when there is no such key in force. */
    async revoke(id: number): Promise<boolean> {
      const { numUpdatedRows } = await database
        .updateTable('api_keys')
        .set({ revoked_at: now() })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
  };
}

async function select(database: Database, condition: ReturnType<typeof sql>): Promise<ApiKey[]> {
  const { rows } = await sql<ApiKey>`
    select id, name, scopes, created_at as "createdAt", last_used_at as "lastUsedAt", revoked_at as "revokedAt"
    from api_keys where ${condition} order by id`.execute(database);
  return rows;
}
