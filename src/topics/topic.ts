/**
 * What can be followed. `topic`: a catalogue topic by its slug · `category`: an arXiv category or `cs.*` ·
 * `author`, `organisation`: a name · `query`: free text or the query language · `paper`: "papers like this one",
 * an identity such as `arxiv:2606.01234` · `trending`: whatever trends (value is the empty string).
 */
export const TOPIC_KINDS = [
  'topic',
  'category',
  'author',
  'organisation',
  'query',
  'paper',
  'trending',
] as const;

/** See {@link TOPIC_KINDS}. */
export type TopicKind = (typeof TOPIC_KINDS)[number];

/** A topic by its canonical key, before or without a database row. */
export type TopicRef = { readonly kind: TopicKind; readonly value: string };

/** How much a follow may count beside others; 1 is usual. For JSON schemas. */
export const FOLLOW_WEIGHT = { minimum: 0.1, maximum: 10 } as const;

/** A subscriber's tie to a topic: weight > 0 follows (see {@link FOLLOW_WEIGHT}), weight < 0 mutes. */
export type Follow = TopicRef & { readonly weight: number };

/** An entry of the topic catalogue: phrases that make a paper belong to it. */
export type CatalogueTopic = {
  /** Stable slug, `diffusion-models`. */
  readonly slug: string;
  readonly name: string;
  readonly description: string;
  readonly group: string;
  /** Phrases looked for in title and abstract; those in capitals match case-sensitively. */
  readonly triggers: readonly string[];
  /** Phrases looked for in the title only. */
  readonly titleTriggers: readonly string[];
};
