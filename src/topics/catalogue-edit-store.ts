import type { Database } from '#src/database/database.ts';
import type { CatalogueTopic } from './topic.ts';

/** Edits of the topic catalogue by curators; updates of the software leave edited topics as they are. */
export function createCatalogueEdits({ database }: { readonly database: Database }) {
  return {
    /** Adds a topic, or replaces one; a hidden one is shown again. */
    async putTopic(topic: CatalogueTopic): Promise<void> {
      const { triggers, titleTriggers } = topic;
      const row = {
        name: topic.name,
        description: topic.description,
        topic_group: topic.group,
        definition: JSON.stringify({ triggers, titleTriggers, edited: true }),
        hidden: false,
      };
      await database
        .insertInto('topics')
        .values({ kind: 'topic', value: topic.slug, ...row })
        .onConflict((conflict) => conflict.columns(['kind', 'value']).doUpdateSet(row))
        .execute();
    },

    /** Takes a topic out of the catalogue; false when it is not in it. Its followers keep their row. */
    async hideTopic(slug: string): Promise<boolean> {
      const { numUpdatedRows } = await database
        .updateTable('topics')
        .set({ hidden: true })
        .where('kind', '=', 'topic')
        .where('value', '=', slug)
        .where('hidden', '=', false)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
  };
}
