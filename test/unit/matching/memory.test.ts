import { expect, it } from 'vitest';
import { createMemory } from '#src/matching/memory.ts';

it('keeps what is asked for, and forgets what is not once enough has come', () => {
  const memory = createMemory<number, string>(3);
  memory.set(0, 'asked for');
  memory.set(1, 'forgotten');
  for (let key = 2; key < 12; key += 1) {
    expect(memory.get(0)).toBe('asked for');
    memory.set(key, 'new');
  }
  expect(memory.get(1)).toBeUndefined();
  expect(memory.get(11)).toBe('new');
});
