import { describe, expect, it } from 'vitest';
import { isProse } from '#src/matching/text/document.ts';

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
