import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PaperId } from '#src/database/ids.ts';
import { createReasonsReader, createSaidReader, writeReasons } from '#src/digests/reasons-text.ts';
import type { Reason } from '#src/matching/types.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 8 });
const terms = fc.array(text, { maxLength: 3 });
const weight = fc.integer({ min: -9_000_000, max: 9_000_000 }).map((millionths) => millionths / 1e6);
const kind = fc.constantFrom('topic' as const, 'category' as const, 'author' as const);
const reason: fc.Arbitrary<Reason> = fc.oneof(
  fc.record({
    type: fc.constant('follow' as const),
    topic: fc.record({ kind, value: text }),
    name: text,
    terms,
    weight,
  }),
  fc.record({
    type: fc.constant('liked' as const),
    paper: fc.nat(5).map((id) => id as PaperId),
    title: text,
    terms,
    weight,
  }),
  fc.record({ type: fc.constant('trending' as const), weight, fill: fc.boolean() }),
);
const digests = fc.array(fc.array(fc.array(reason, { maxLength: 3 }), { maxLength: 4 }), { maxLength: 6 });

function withoutWeight(reason: Reason) {
  const { weight: _, ...said } = reason;
  return said;
}

test('the reasons of a block come back as they were, a line for each digest', () => {
  fc.assert(
    fc.property(digests, (block) => {
      const lines = writeReasons(block).split('\n');
      expect(lines).toHaveLength(block.length + 1);
      const read = createReasonsReader(lines.at(-1) ?? '');
      expect(block.map((_, at) => read(lines[at] ?? ''))).toEqual(block);
      const readSaid = createSaidReader(lines.at(-1) ?? '');
      expect(block.map((_, at) => readSaid(lines[at] ?? ''))).toEqual(
        block.map((digest) => digest.map((each) => each.map(withoutWeight))),
      );
    }),
  );
});

test('what two readers share is spelled out once, and weights to six decimals', () => {
  const shared = (weight: number): Reason => ({ type: 'trending', fill: false, weight });
  expect(writeReasons([[[shared(1 / 3)], []], [], [[shared(2)]]])).toBe(
    '[[0,0.333333],[]]\n[]\n[[0,2]]\n{"said":[{"type":"trending","fill":false}]}',
  );
});

test('lines that spell their reasons themselves are read too, and none is none', () => {
  const read = createReasonsReader('[[{"type":"trending","weight":1,"fill":true}],[]]');
  expect(read('[[{"type":"trending","weight":1,"fill":true}],[]]')).toEqual([
    [{ type: 'trending', weight: 1, fill: true }],
    [],
  ]);
  expect(read('')).toEqual([]);
});
