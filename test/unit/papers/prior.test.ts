import { describe, expect, it } from 'vitest';
import { priorFeatures, priorOf } from '#src/papers/prior.ts';

const paper = {
  title: 'Foo-Net: A Study',
  abstract: 'Code at https://github.com/x/y.',
  categories: ['cs.CL', 'cs.AI'],
  authors: ['A', 'B'],
  organisation: null,
  codeUrl: null,
  projectUrl: null,
};

describe('the prior', () => {
  it('reads words, pairs, categories, authors and links', () => {
    expect([...priorFeatures(paper)]).toEqual(
      expect.arrayContaining([
        't:foo',
        't:foo net',
        'a:study',
        'a:code',
        'c:cs.AI',
        'p:cs.CL',
        'n:2',
        'x:code',
        'x:named',
      ]),
    );
  });
  it('is a probability, also for papers that say nothing', () => {
    const empty = { ...paper, title: '', abstract: '', categories: [], authors: [] };
    for (const value of [
      priorOf(paper),
      priorOf(empty),
      priorOf({ ...paper, abstract: 'agents '.repeat(10_000) }),
    ]) {
      expect(value).toBeGreaterThan(0);
      expect(value).toBeLessThan(1);
    }
  });
});
