import categories from './arxiv-categories.json' with { type: 'json' };
import catalogue from './catalogue.json' with { type: 'json' };
import type { CatalogueTopic, TopicRef } from './topic.ts';

/** An arXiv category: `code` and `name` as arXiv has them, `description` in our words. */
export type ArxivCategory = { readonly code: string; readonly name: string; readonly description: string };

/** The catalogue a new installation starts with; the database's is the one in force (see topic-store.ts). */
export const CATALOGUE: readonly CatalogueTopic[] = catalogue;

/** Every arXiv category, old double names (`cs.SY`, `math.MP` …) included. */
export const ARXIV_CATEGORIES: readonly ArxivCategory[] = categories;

const categoryByLowerCase = new Map(ARXIV_CATEGORIES.map((each) => [each.code.toLowerCase(), each]));

/** The category of a code in whatever case (`CS.cl`), or undefined. */
export function findCategory(code: string): ArxivCategory | undefined {
  return categoryByLowerCase.get(code.toLowerCase());
}

/** Archives that have several categories, sorted: `astro-ph`, `cond-mat`, `cs` … What `cs.*` stands for. */
export const ARXIV_ARCHIVES: readonly string[] = [
  ...new Set(
    ARXIV_CATEGORIES.filter(({ code }) => code.includes('.')).map(({ code }) => code.split('.')[0] as string),
  ),
].toSorted();

const nameBySlug = new Map(CATALOGUE.map((each) => [each.slug, each.name]));

/**
 * What to call a topic on a page or in a mail: "Diffusion models", "cs.CL", "Ada Lovelace".
 * A catalogue topic that only the database knows is called by its slug with spaces.
 */
export function topicName(topic: TopicRef): string {
  switch (topic.kind) {
    case 'topic':
      return nameBySlug.get(topic.value) ?? topic.value.replaceAll('-', ' ');
    case 'trending':
      return 'Everything trending';
    case 'paper':
      return `papers like ${topic.value.replace(/^arxiv:/, 'arXiv:')}`;
    case 'category':
    case 'author':
    case 'organisation':
    case 'query':
      return topic.value;
  }
}
