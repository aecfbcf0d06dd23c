import { describe, expect, it } from 'vitest';
import { collectTexts } from '#src/matching/collection.ts';
import { type Embeddings, embeddingsOf, paperInput } from '#src/matching/embeddings.ts';
import { indexCandidates } from '#src/matching/index-candidates.ts';
import { createRelevanceModel, type RelevanceModel } from '#src/matching/relevance.ts';
import type { Relevance } from '#src/matching/relevance-parts.ts';
import { fitStatistics } from '#src/matching/statistics/fit.ts';
import type { Text } from '#src/matching/text/lexical-index.ts';
import { paper, profile } from './papers.ts';

const SUBJECTS = [
  'sheep wool meadow',
  'engine piston fuel',
  'star galaxy light',
  'poker card bluff',
] as const;
const DIMENSION = 8;

const textOn = (subject: number, at: number): Text => ({
  title: `${SUBJECTS[subject]} ${at}`,
  abstract: `Words ${at % 7} about ${SUBJECTS[subject]} and case ${at % 13}.`,
});

/** A unit vector near the axis of a subject; `turn` tells texts apart. */
function vectorOf(subject: number, turn: number): Float32Array {
  const vector = Float32Array.from({ length: DIMENSION }, (_, k) => (k === subject ? 6 : Math.sin(turn + k)));
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

/** Sheep are rare in the background: one paper in forty. */
const backgroundSubject = (at: number): number => (at % 40 === 0 ? 0 : 1 + (at % 3));
const background = Array.from({ length: 240 }, (_, at) => textOn(backgroundSubject(at), 1000 + at));
const statistics = fitStatistics(background, 'test');
const candidates = [
  ...Array.from({ length: 20 }, (_, at) => textOn(at % 4, at)),
  { title: 'Ewe and ram', abstract: 'Ovine husbandry.' },
];
const subjectOf = (at: number): number => (at < 20 ? at % 4 : 0);

function embeddings(leaveOut: (text: Text) => boolean = () => false): Embeddings {
  const papers = new Map<string, Float32Array>();
  [...candidates, ...background].forEach((text, at) => {
    const subject = at < candidates.length ? subjectOf(at) : backgroundSubject(at - candidates.length);
    if (!leaveOut(text)) papers.set(paperInput(text), vectorOf(subject, at));
  });
  const phrases = new Map([['farm animals', vectorOf(0, 0.5)]]);
  return embeddingsOf({ dimension: DIMENSION, papers, phrases });
}

const modelOf = (given?: Embeddings) =>
  single(createRelevanceModel(collectTexts(candidates, candidates.length, [], statistics, given)));
const single = (model: RelevanceModel) => ({
  phrase: (text: string) => model.phrases([text])[0] as Relevance,
  paper: (position: number) => model.papers([position])[0] as Relevance,
});
const best = ({ scores }: Relevance, count: number): number[] =>
  Array.from(scores.keys())
    .toSorted((a, b) => (scores[b] as number) - (scores[a] as number))
    .slice(0, count);
const sumOf = (relevance: Relevance, at: number): number =>
  relevance.explain(at).reduce((sum, { weight }) => sum + weight, 0);

describe('embeddings in place of latent semantic analysis', () => {
  it('find by phrase and by example what shares no word, in scores that are the sum of their parts', () => {
    const model = modelOf(embeddings());
    for (const relevance of [model.phrase('farm animals'), model.paper(20)]) {
      expect(best(relevance, 6).every((at) => subjectOf(at) === 0)).toBe(true);
      for (const at of candidates.keys())
        expect(sumOf(relevance, at)).toBeCloseTo(relevance.scores[at] as number, 5);
    }
    expect(model.phrase('farm animals').explain(20)).toContainEqual({
      type: 'meaning',
      weight: expect.any(Number),
    });
  });

  it('give a phrase, an example and an unmeasured background to LSA, exactly as without them', () => {
    const plain = modelOf();
    expect(modelOf(embeddings()).phrase('sheep').scores).toEqual(plain.phrase('sheep').scores);
    const withoutOne = modelOf(embeddings((text) => text === candidates[3]));
    expect(withoutOne.paper(3).scores).toEqual(plain.paper(3).scores);
    const few = modelOf(embeddings((text) => background.indexOf(text) >= 99));
    expect(few.phrase('farm animals').scores).toEqual(plain.phrase('farm animals').scores);
  });

  it('rank a paper without a vector by its LSA at the same scale, and take its score apart exactly too', () => {
    const missing = [0, 1, 4];
    const model = modelOf(embeddings((text) => missing.includes(candidates.indexOf(text))));
    const like = model.paper(8);
    const whole = modelOf(embeddings()).paper(8);
    for (const at of candidates.keys()) {
      expect(sumOf(like, at)).toBeCloseTo(like.scores[at] as number, 5);
      if (!missing.includes(at)) expect(like.scores[at]).toBeCloseTo(whole.scores[at] as number, 6);
    }
    expect(best(like, 6)).toEqual(expect.arrayContaining([0, 4]));
    expect(like.scores[1]).toBeLessThan(like.scores[0] as number);
  });

  it('need no statistics', () => {
    const papers = [...candidates, ...background];
    const given = embeddings();
    const model = single(createRelevanceModel(collectTexts(papers, papers.length, [], undefined, given)));
    expect(best(model.phrase('farm animals'), 20).filter((at) => at === 20)).toEqual([20]);
  });

  it('reach the choice for a reader', () => {
    const papers = candidates.map((text, at) => paper(at + 1, text));
    const reader = profile({ follows: [{ kind: 'query', value: 'farm animals', weight: 1 }] });
    const choose = (given?: Embeddings) =>
      indexCandidates(papers, [], [], statistics, given).choose(reader, new Set());
    expect(choose()).toEqual([]);
    expect(choose(embeddings()).every((choice) => subjectOf(choice.paper - 1) === 0)).toBe(true);
    expect(choose(embeddings()).length).toBeGreaterThan(0);
  });
});

describe('what a model is given of a paper', () => {
  it('is title and abstract, of bounded length and well-formed', () => {
    expect(paperInput({ title: 'A', abstract: 'b' })).toBe('A\n\nb');
    const long = paperInput({ title: '', abstract: '😀'.repeat(9000) });
    expect(long.length).toBeLessThanOrEqual(8000);
    expect(long.isWellFormed()).toBe(true);
  });
});
