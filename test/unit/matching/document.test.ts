import { describe, expect, it } from 'vitest';
import { isProse } from '#src/matching/text/document.ts';
import { createLexicalIndex } from '#src/matching/text/lexical-index.ts';

describe('prose and phrases', () => {
  it.each([
    'Efficient Attention LLM Long Context Modeling',
    'Reward Design Reinforcement Learning for Large Reasoning Models',
    'Think With Images',
    '3D',
    'Vision.Language U.S. patents',
    'Machine learning.',
    '',
  ])('reads %j as the name of a topic', (text) => {
    expect(isProse(text)).toBe(false);
  });

  it.each([
    'how do sheep find their way back to the fold in the dark',
    'Wool shearing of mountain sheep. ',
    'wool shearing of mountain sheep ?',
    'sheep wool lamb shear fold dog crook hill rain gate farm barn tail horn hoof milk',
  ])('reads %j as prose', (text) => {
    expect(isProse(text)).toBe(true);
  });
});

describe('words by how early they stand', () => {
  const filler = 'wool lamb shear fold dog crook hill rain gate farm barn tail horn hoof milk ewe ram pen';
  const weightsOf = (texts: { title: string; abstract: string }[]) => {
    const { rows, vocabulary } = createLexicalIndex(texts);
    const term = vocabulary.findStem('sheep') as number;
    return texts.map((_, row) => {
      const at = rows.terms.indexOf(term, rows.starts[row]);
      return { bm25: rows.bm25[at] as number, early: rows.early[at] as number };
    });
  };

  it('count the more for phrases the nearer they are to the beginning of an abstract; in prose all the same', () => {
    const [first, middle, last] = weightsOf([
      { title: '', abstract: `sheep ${filler} ${filler}` },
      { title: '', abstract: `${filler} sheep ${filler}` },
      { title: '', abstract: `${filler} ${filler} sheep` },
      { title: 'hill', abstract: filler },
    ]);
    expect(first?.early).toBeGreaterThan((middle?.early ?? 0) * 1.2);
    expect(middle?.early).toBeGreaterThan((last?.early ?? 0) * 1.2);
    expect(first?.bm25).toBe(last?.bm25);
  });

  it('count the same in a title wherever they stand, and in all of an abstract what they count in prose', () => {
    const [inTitle, everywhere] = weightsOf([
      { title: 'hill farm sheep', abstract: filler },
      { title: '', abstract: 'sheep '.repeat(30) },
      { title: '', abstract: filler },
    ]);
    expect(inTitle?.early).toBe(inTitle?.bm25);
    expect(everywhere?.early).toBeCloseTo(everywhere?.bm25 ?? 0, 2);
  });
});
