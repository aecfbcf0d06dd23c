import { describe, expect, it } from 'vitest';
import { SETS, type Task } from '#root/bench/relevance-data.ts';
import { isSplit, splitOf } from '#root/bench/relevance-split.ts';
import { hasSharedData, sharedData, skipNote } from '../../support/shared-data.ts';

describe('halves of the judgments, to tune on and to report', () => {
  it('depend on the name alone', () => {
    expect(splitOf('Xnhyacinth/Awesome-LLM-Long-Context-Modeling')).toBe('tune');
    expect(splitOf('ThuCCSLab/Awesome-LM-SSP')).toBe('report');
  });

  it('are about equal', () => {
    const tune = Array.from({ length: 1000 }, (_, at) => splitOf(`${at}`)).filter((half) => half === 'tune');
    expect(tune.length).toBeGreaterThan(450);
    expect(tune.length).toBeLessThan(550);
  });

  it('have two names', () => {
    expect(['tune', 'report', 'test', ''].filter(isSplit)).toEqual(['tune', 'report']);
  });
});

describe.skipIf(!hasSharedData)(`halves of the real judgments${skipNote}`, () => {
  it.each(['feeds', 'sections', 'csfcube'])(
    'of %s: both hold something, and neither a topic of the other',
    (name) => {
      const tasks = [...(SETS[name]?.(sharedData).tasks.values() ?? [])].flat();
      const topics = (half: string): Set<string> =>
        new Set(tasks.filter(({ family }) => splitOf(family) === half).map(({ topic }) => topic));
      const [tune, report] = [topics('tune'), topics('report')];
      expect(Math.min(tune.size, report.size)).toBeGreaterThan(3);
      expect(tune.isDisjointFrom(report)).toBe(true);
    },
  );

  it('keep the lists of one repository together', () => {
    const tasks = SETS['feeds']?.(sharedData).tasks.get(1) as readonly Task[];
    expect(new Set(tasks.map(({ family }) => family)).size).toBe(8);
  });
});
