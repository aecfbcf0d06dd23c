import type { Paper } from './paper.ts';
import fitted from './prior-weights.json' with { type: 'json' };

/** What the prior reads of a paper: nothing that anybody's vote is part of. */
export type PriorPaper = Pick<
  Paper,
  'title' | 'abstract' | 'categories' | 'authors' | 'organisation' | 'codeUrl' | 'projectUrl'
>;

const WEIGHTS: ReadonlyMap<string, number> = new Map(Object.entries(fitted.weights));

/**
 * The probability that a community lists a new paper, told from what is known when it is announced: a logistic
 * regression over {@link priorFeatures}, fitted on arXiv's announcements of 2025 against the community's daily lists by
 * `npm run eval -- fit-prior` (see docs/sources.md for what it is worth). In (0, 1).
 */
export function priorOf(paper: PriorPaper): number {
  let sum = fitted.bias;
  for (const feature of priorFeatures(paper)) sum += WEIGHTS.get(feature) ?? 0;
  return 1 / (1 + Math.exp(-sum));
}

/**
 * What is known of a paper, as names of features, each at most once: words (`a:`) of title and abstract, words and pairs
 * of words of the title (`t:`), categories (`c:`, the primary one also `p:`), how many authors (`n:`), and links (`x:`).
 */
export function priorFeatures(paper: PriorPaper): Set<string> {
  const title = wordsOf(paper.title);
  const pairs = title.slice(1).map((word, index) => `t:${title[index]} ${word}`);
  const words = new Set([...title, ...wordsOf(paper.abstract)]);
  return new Set([
    ...title.map((word) => `t:${word}`),
    ...pairs,
    ...[...words].map((word) => `a:${word}`),
    ...paper.categories.map((category) => `c:${category}`),
    `p:${paper.categories[0] ?? ''}`,
    `n:${Math.min(12, paper.authors.length)}`,
    ...linksOf(paper),
  ]);
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z][a-z0-9]+/g) ?? [];

function linksOf({ abstract, codeUrl, projectUrl, title }: PriorPaper): string[] {
  return [
    ...(codeUrl !== null || /github\.com|gitlab\.com/i.test(abstract) ? ['x:code'] : []),
    ...(projectUrl !== null || /github\.io|project (?:page|website)/i.test(abstract) ? ['x:page'] : []),
    ...(/huggingface\.co/i.test(abstract) ? ['x:weights'] : []),
    ...(/^[^\s:]{2,24}:/.test(title) ? ['x:named'] : []),
  ];
}
