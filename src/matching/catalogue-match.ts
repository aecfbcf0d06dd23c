import type { CatalogueTopic } from '#src/topics/topic.ts';
import { createPhraseFinder, type FoundPhrase, type ReadPaper, type ReadText } from './text/phrase-finder.ts';

/** Why a paper belongs to a catalogue topic. */
export type TopicMatch = {
  /** Trigger phrases as they stand in the paper, each once, those of the title first. */
  readonly terms: readonly string[];
  readonly inTitle: boolean;
};

/** Assigns papers to the topics of a catalogue: by slug, only the topics that the paper belongs to. */
export type TopicMatcher = (paper: ReadPaper) => Map<string, TopicMatch>;

/** Evidence that makes a paper belong to a topic. */
const ENOUGH = 2;

/**
 * Prepares a catalogue. A paper belongs to a topic when a trigger is in its title, or a trigger of several words or
 * an abbreviation is in its abstract, or a bare word is there twice: abstracts mention many things once
 * ("…such as dialogue") that they are not about. One pass over a paper finds all topics.
 */
export function createTopicMatcher(catalogue: readonly CatalogueTopic[]): TopicMatcher {
  const anywhere = catalogue.flatMap((topic) =>
    topic.triggers.map((phrase) => [phrase, triggerOf(topic, phrase)] as const),
  );
  const inTitle = catalogue.flatMap((topic) =>
    topic.titleTriggers.map((phrase) => [phrase, triggerOf(topic, phrase)] as const),
  );
  const findInTitle = createPhraseFinder([...anywhere, ...inTitle]);
  const findInBody = createPhraseFinder(anywhere);
  return ({ title, abstract }) => {
    const evidence = new Map<string, Evidence>();
    for (const found of findInTitle(title)) gather(evidence, title, found, ENOUGH, true);
    for (const found of findInBody(abstract)) gather(evidence, abstract, found, found.key.strength, false);
    return new Map([...evidence].filter(([, { strength }]) => strength >= ENOUGH));
  };
}

type Trigger = { readonly slug: string; readonly strength: number };
type Evidence = { terms: string[]; inTitle: boolean; strength: number };

const triggerOf = ({ slug }: CatalogueTopic, phrase: string): Trigger => ({
  slug,
  strength: /[\s-]|\p{Lu}/u.test(phrase) ? ENOUGH : 1,
});

function gather(
  evidence: Map<string, Evidence>,
  text: ReadText,
  { key, from, to }: FoundPhrase<Trigger>,
  strength: number,
  inTitle: boolean,
): void {
  const of = evidence.get(key.slug) ?? { terms: [], inTitle, strength: 0 };
  of.strength += strength;
  const surface = text.spell(from, to);
  if (!of.terms.some((term) => term.toLowerCase() === surface.toLowerCase())) of.terms.push(surface);
  evidence.set(key.slug, of);
}
