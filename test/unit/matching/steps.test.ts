import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { indexCandidates, indexInSteps } from '#src/matching/index-candidates.ts';
import { atOnce, inSlices, mapInSteps } from '#src/matching/steps.ts';
import { CATALOGUE } from '#src/topics/catalogue.ts';
import { paper, profile } from './papers.ts';

const busy = (milliseconds: number): void => {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
};

describe('work in steps', () => {
  it('gives the same at once and in slices', async () => {
    const items = Array.from({ length: 50 }, (_, at) => at);
    const expected = items.map((item) => item * 2);
    expect(atOnce(mapInSteps(items, (item) => item * 2))).toEqual(expected);
    expect(await inSlices(mapInSteps(items, (item) => item * 2))).toEqual(expected);
  });

  it('lets the event loop turn between slices, and rejects what a step throws', async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    await inSlices(mapInSteps(Array.from({ length: 80 }), () => busy(2)));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(4);
    const failing = mapInSteps([1], () => {
      throw new Error('no');
    });
    await expect(inSlices(failing)).rejects.toThrow('no');
    await delay(0);
  });

  it('build an index that never holds the event loop for long, and chooses the same', async () => {
    const papers = Array.from({ length: 600 }, (_, at) =>
      paper(at + 1, { title: `Title ${at} of diffusion`, abstract: `word${at % 40} model `.repeat(60) }),
    );
    const steps = indexInSteps(papers, CATALOGUE);
    let longest = 0;
    for (let from = performance.now(); !steps.next().done; from = performance.now())
      longest = Math.max(longest, performance.now() - from);
    expect(longest).toBeLessThan(250);
    const reader = profile({ follows: [{ kind: 'query', value: 'diffusion word7', weight: 1 }] });
    const sliced = await inSlices(indexInSteps(papers, CATALOGUE));
    expect(sliced.choose(reader, new Set())).toEqual(
      indexCandidates(papers, CATALOGUE).choose(reader, new Set()),
    );
  });
});
