import { topicName } from '#src/topics/catalogue.ts';
import { type ParsedQuery, parseQuery } from '#src/topics/query/parse.ts';
import { rankedText } from '#src/topics/query/query.ts';
import { type CatalogueTopic, TOPIC_KINDS, type TopicRef } from '#src/topics/topic.ts';
import type { TopicMatch } from './catalogue-match.ts';
import { createMemory } from './memory.ts';
import { type Filters, matchingAuthor } from './query-match.ts';
import { inGroups, type RelevanceModel } from './relevance.ts';
import type { Relevance } from './relevance-parts.ts';
import { singular } from './text/phrase-finder.ts';
import type { TermMemory, TermSpeller } from './text/show-terms.ts';
import { showTerms } from './text/shown-terms.ts';
import type { MatchingPaper } from './types.ts';

/** The papers that belong to a topic, best first. */
export type TopicScores = {
  readonly topic: TopicRef;
  readonly name: string;
  /** Positions of papers, best first; equal ones by trend, then identity. */
  readonly papers: Int32Array;
  /** How well each fits: about 0.4 (just) to 1 (clearly, or beyond); beside `papers`. */
  readonly scores: Float64Array;
  /** What of the paper fits: at most three terms as they stand in it, or the usual name of a concept. */
  terms(position: number): readonly string[];
};

/** Scores per kind of topic where a paper either belongs or does not. */
const AUTHOR = 1;
const ORGANISATION = 0.8;
const CATEGORY = 0.5;
/** A catalogue topic found in the abstract, the gain for the title, and for each further trigger (three count). */
const CATALOGUE_BASE = 0.5;
const CATALOGUE_TITLE = 0.2;
const CATALOGUE_TERM = 0.1;
/** A paper that passes a filter, and the share of how well it fits the query's words. */
const FILTER_BASE = 0.6;
const FILTER_TEXT = 0.4;
/** What a paper must reach to belong to free text or to an example. */
export const SOFT_FLOOR = 0.6;

/** Terms shown, and terms looked at to find as many that don't repeat one another. */
export const TERMS_SHOWN = 3;
export const TERMS_READ = 6;

type Found = { readonly at: number; readonly score: number };

/** Scores topics over the candidates. */
export type TopicScorer = {
  scores(topic: TopicRef): TopicScores;
  /** Scores topics that will be asked for: many at once cost far less than one by one. */
  prepare(topics: Iterable<TopicRef>): void;
};

/** Topics of each kind remembered at least: those asked for last. */
const REMEMBERED = 10_000;

/** Scores every distinct topic once, whoever follows it, as long as it is remembered. `papers` must be sorted by identity. */
export function createTopicScorer(deps: {
  readonly papers: readonly MatchingPaper[];
  readonly catalogue: readonly CatalogueTopic[];
  /** Catalogue topics of each paper. */
  readonly matches: readonly ReadonlyMap<string, TopicMatch>[];
  readonly filters: Filters;
  readonly relevance: RelevanceModel;
  readonly spell: TermSpeller;
  readonly remember: TermMemory;
  /** Position of a known paper (candidate or context) by identity. */
  readonly positionOf: (identity: string) => number | undefined;
}): TopicScorer {
  const { papers, relevance, matches, filters } = deps;
  const trendOf = (at: number): number => papers[at]?.trend ?? 0;
  const names = new Map(deps.catalogue.map(({ slug, name }) => [slug, name]));
  const byKind = new Map(TOPIC_KINDS.map((kind) => [kind, createMemory<string, TopicScores>(REMEMBERED)]));
  const find = ({ kind, value }: TopicRef): TopicScores | undefined => byKind.get(kind)?.get(value);
  const keep = (scores: TopicScores): TopicScores => {
    byKind.get(scores.topic.kind)?.set(scores.topic.value, scores);
    return scores;
  };

  const score = (topic: TopicRef): TopicScores => {
    switch (topic.kind) {
      case 'query':
        return queries([topic])[0] as TopicScores;
      case 'paper':
        return examples([topic])[0] as TopicScores;
      case 'topic':
        return catalogueTopic(topic);
      case 'category':
        return crisp(topic, filters.category(topic.value), CATEGORY, () => []);
      case 'author':
        return crisp(topic, filters.author(topic.value), AUTHOR, (paper) => [
          matchingAuthor(paper, topic.value) ?? '',
        ]);
      case 'organisation':
        return crisp(topic, filters.organisation(topic.value), ORGANISATION, () => []);
      case 'trending':
        return crisp(topic, [], 0, () => []);
    }
  };

  const list = (
    topic: TopicRef,
    found: readonly Found[],
    terms: (position: number) => readonly string[],
  ): TopicScores => {
    const sorted = found.toSorted(
      (a, b) => b.score - a.score || trendOf(b.at) - trendOf(a.at) || a.at - b.at,
    );
    return {
      topic: { kind: topic.kind, value: topic.value },
      name: topic.kind === 'topic' ? (names.get(topic.value) ?? topicName(topic)) : topicName(topic),
      papers: Int32Array.from(sorted, ({ at }) => at),
      scores: Float64Array.from(sorted, (each) => each.score),
      terms: deps.remember((position) => terms(position).slice(0, TERMS_SHOWN)),
    };
  };

  const crisp = (
    topic: TopicRef,
    found: readonly number[],
    value: number,
    terms: (paper: MatchingPaper) => string[],
  ) =>
    list(
      topic,
      found.map((at) => ({ at, score: value })),
      (at) => terms(papers[at] as MatchingPaper),
    );

  const catalogueTopic = (topic: TopicRef): TopicScores => {
    const found: Found[] = [];
    matches.forEach((each, at) => {
      const match = each.get(topic.value);
      if (match) found.push({ at, score: catalogueScore(match) });
    });
    return list(topic, found, (at) => longest(matches[at]?.get(topic.value)?.terms ?? []));
  };

  const queries = (topics: readonly TopicRef[]): TopicScores[] => {
    const parsed = topics.map(({ value }) => parseQuery(value));
    const texts = parsed.map((each) => (each.type === 'invalid' ? '' : rankedText(each.query)));
    return relevance.phrases(texts).map((found, at) => query(topics[at] as TopicRef, parsed[at], found));
  };

  const query = (
    topic: TopicRef,
    parsed: ParsedQuery | undefined,
    { scores, strongest }: Relevance,
  ): TopicScores => {
    if (parsed?.type !== 'ok') return list(topic, [], () => []);
    if (parsed.query.type === 'text') return list(topic, above(scores), shown(strongest));
    const found = filters
      .query(parsed.query.root)
      .map((at) => ({ at, score: FILTER_BASE + FILTER_TEXT * Math.min(1, scores[at] as number) }));
    return list(topic, found, shown(strongest));
  };

  const examples = (topics: readonly TopicRef[]): TopicScores[] => {
    const positions = topics.map(({ value }) => deps.positionOf(value));
    const found = relevance.papers(positions.filter((position) => position !== undefined)).values();
    return topics.map((topic, each) => {
      const position = positions[each];
      if (position === undefined) return list(topic, [], () => []);
      const { scores, strongest } = found.next().value as Relevance;
      const alike = above(scores).filter(({ at }) => at !== position);
      return list(topic, alike, shown(strongest));
    });
  };

  // Only the way to the terms is kept with a topic, in a scope without the scores: those of every distinct query would
  // fill the memory.
  const shown = (strongest: Relevance['strongest']) => (at: number) =>
    showTerms(deps.spell, at, strongest(at, TERMS_READ), TERMS_SHOWN);

  const prepare = (topics: Iterable<TopicRef>): void => {
    const missing = { query: new Map<string, TopicRef>(), paper: new Map<string, TopicRef>() };
    for (const topic of topics)
      if ((topic.kind === 'query' || topic.kind === 'paper') && !find(topic))
        missing[topic.kind].set(topic.value, topic);
    for (const some of inGroups([...missing.query.values()])) queries(some).forEach(keep);
    for (const some of inGroups([...missing.paper.values()])) examples(some).forEach(keep);
  };

  return { prepare, scores: (topic) => find(topic) ?? keep(score(topic)) };
}

/** Terms without those that a longer one says already: "Masked Diffusion" without "diffusion" and "Diffusions". */
function longest(terms: readonly string[]): string[] {
  const form = (term: string): string =>
    ` ${term
      .toLowerCase()
      .split(/[\s-]+/)
      .map(singular)
      .join(' ')} `;
  return terms.filter((term, at) => {
    const own = form(term);
    return !terms.some(
      (other, place) => place !== at && form(other).includes(own) && (form(other) !== own || place < at),
    );
  });
}

function catalogueScore({ terms, inTitle }: TopicMatch): number {
  return CATALOGUE_BASE + (inTitle ? CATALOGUE_TITLE : 0) + CATALOGUE_TERM * Math.min(3, terms.length);
}

function above(scores: Float32Array): Found[] {
  const found: Found[] = [];
  for (let at = 0; at < scores.length; at += 1) {
    const score = scores[at] as number;
    if (score >= SOFT_FLOOR) found.push({ at, score });
  }
  return found;
}
