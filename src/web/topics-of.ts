import { createTopicMatcher } from '#src/matching/catalogue-match.ts';
import { readPaper } from '#src/matching/text/phrase-finder.ts';
import type { CatalogueTopic } from '#src/topics/topic.ts';
import type { TopicsOf } from './pages/paper.ts';

/** Finds the topics of a catalogue that a paper belongs to, those of its title first. About 0.1 ms a paper. */
export function createTopicsOf(catalogue: readonly CatalogueTopic[]): TopicsOf {
  const match = createTopicMatcher(catalogue);
  const names = new Map(catalogue.map(({ slug, name }) => [slug, name]));
  return (paper) =>
    [...match(readPaper(paper))]
      .sort(([, one], [, other]) => Number(other.inTitle) - Number(one.inTitle))
      .map(([slug]) => ({ slug, name: names.get(slug) ?? slug }));
}
