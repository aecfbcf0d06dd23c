import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import { addDays, type IsoDate } from '#src/database/ids.ts';

/** A text as sent, with its vector; null: the endpoint takes no such text. */
export type Embedded = { readonly text: string; readonly vector: Float32Array | null };

/** Days after which what is wanted is marked so again, and after which what is not wanted is removed. */
const MARK_DAYS = 7;
const KEEP_DAYS = 60;

const LEASE = 'embeddings:lease';

/** All SQL about `embeddings`. */
export type EmbeddingStore = ReturnType<typeof createEmbeddingStore>;

/** Stores the vectors of texts by model; in float16, which moves a cosine by less than 0.0001 (measured). */
export function createEmbeddingStore({ database }: { readonly database: Database }) {
  return {
    /** The texts that have no vector yet and were not refused, in their order. */
    async missing(model: string, texts: readonly string[]): Promise<string[]> {
      const { rows } = await sql<{ hash: string }>`
        select encode(text_hash, 'hex') as hash from embeddings
        where model = ${model} and text_hash = any(${hashes(texts)}::bytea[])`.execute(database);
      const known = new Set(rows.map(({ hash }) => hash));
      return texts.filter((text) => !known.has(hashOf(text).toString('hex')));
    },

    /** The vectors of texts; those that have none are absent. */
    async load(model: string, texts: readonly string[]): Promise<Map<string, Float32Array>> {
      const { rows } = await sql<{ hash: string; vector: Buffer }>`
        select encode(text_hash, 'hex') as hash, vector from embeddings
        where model = ${model} and vector is not null and text_hash = any(${hashes(texts)}::bytea[])`.execute(
        database,
      );
      const vectors = new Map(rows.map(({ hash, vector }) => [hash, unpack(vector)]));
      return new Map(
        texts.flatMap((text) => {
          const vector = vectors.get(hashOf(text).toString('hex'));
          return vector ? [[text, vector] as const] : [];
        }),
      );
    },

    /** Writes a batch; a text that is there already stays as it is. */
    async put(model: string, rows: readonly Embedded[], today: IsoDate): Promise<void> {
      await sql`
        insert into embeddings (model, text_hash, vector, wanted_on)
        select ${model}, text_hash, vector, ${today}
        from unnest(${hashes(rows.map(({ text }) => text))}::bytea[],
                    ${rows.map(({ vector }) => vector && pack(vector))}::bytea[]) as given (text_hash, vector)
        on conflict (model, text_hash) do nothing`.execute(database);
    },

    /** How many numbers the stored vectors of a model have; null where there is none. */
    async dimension(model: string): Promise<number | null> {
      const { rows } = await sql<{ dimension: number }>`
        select octet_length(vector) / 2 as dimension from embeddings
        where model = ${model} and vector is not null limit 1`.execute(database);
      return rows[0]?.dimension ?? null;
    },

    /** Takes, or renews, the right to ask the endpoint until an instant; false while another run has it. */
    async lease(holder: string, now: Date, until: Date): Promise<boolean> {
      const value = JSON.stringify({ holder, until: until.toISOString() });
      const { rows } = await sql`
        insert into settings (key, value) values (${LEASE}, ${value}::jsonb)
        on conflict (key) do update set value = excluded.value, updated_at = now()
        where settings.value ->> 'holder' = ${holder} or (settings.value ->> 'until')::timestamptz <= ${now}
        returning key`.execute(database);
      return rows.length === 1;
    },

    /** Marks texts as wanted, and removes whatever no one has wanted for two months, other models' included. */
    async keep(model: string, texts: readonly string[], today: IsoDate): Promise<void> {
      await sql`
        update embeddings set wanted_on = ${today}
        where model = ${model} and text_hash = any(${hashes(texts)}::bytea[])
          and wanted_on < ${addDays(today, -MARK_DAYS)}::date`.execute(database);
      await sql`delete from embeddings where wanted_on < ${addDays(today, -KEEP_DAYS)}::date`.execute(
        database,
      );
    },
  };
}

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();
const hashes = (texts: readonly string[]): Buffer[] => texts.map(hashOf);

const pack = (vector: Float32Array): Buffer => Buffer.from(new Float16Array(vector).buffer);

/** Copied, so that the array starts where its element size wants it. */
const unpack = (bytes: Buffer): Float32Array =>
  new Float32Array(new Float16Array(new Uint8Array(bytes).buffer));
