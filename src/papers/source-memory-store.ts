import { sql } from 'kysely';
import type { Database } from '#src/database/database.ts';
import type { SourceMemory } from './source.ts';

/** What sources remember between runs, in `settings` under keys of their own. */
export function createSourceMemory({ database }: { readonly database: Database }): SourceMemory {
  return {
    async recall(key) {
      const { rows } = await sql<{
        value: unknown;
      }>`select value from settings where key = ${keyOf(key)}`.execute(database);
      return rows[0]?.value;
    },
    async remember(key, value) {
      await sql`
        insert into settings (key, value) values (${keyOf(key)}, ${JSON.stringify(value)}::jsonb)
        on conflict (key) do update set value = excluded.value, updated_at = now()`.execute(database);
    },
  };
}

const keyOf = (key: string) => `source:${key}`;
