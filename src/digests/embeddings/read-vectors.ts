import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';

const Vector = Type.Array(Type.Number(), { minItems: 1, maxItems: 16_384 });
/** OpenAI's form of an answer, and that of text-embeddings-inference. */
const OpenAi = Type.Object({
  data: Type.Array(Type.Object({ index: Type.Optional(Type.Integer()), embedding: Vector })),
});
const Inference = Type.Array(Vector);

/** What an answer holds: vectors in the order of the texts, at length 1; or what is wrong with it. */
export type ReadVectors =
  | { readonly type: 'ok'; readonly vectors: readonly Float32Array[] }
  | { readonly type: 'invalid'; readonly message: string };

/** Reads the body of an answer in either form. Every vector must be there, finite, not zero, and as long as the others. */
export function readVectors(
  body: Buffer,
  expected: { readonly count: number; readonly dimension: number | null },
): ReadVectors {
  const rows = rowsOf(body);
  if (typeof rows === 'string') return invalid(rows);
  if (rows.length !== expected.count)
    return invalid(`the endpoint gives ${rows.length} vectors for ${expected.count} texts`);
  const dimension = expected.dimension ?? rows[0]?.length ?? 0;
  const other = rows.find(({ length }) => length !== dimension);
  if (other)
    return invalid(
      expected.dimension === null
        ? `the endpoint gives vectors of ${dimension} and of ${other.length} numbers`
        : `the endpoint gives vectors of ${other.length} numbers, and EMBEDDINGS_DIMENSION is ${dimension}`,
    );
  const vectors = rows.map(toUnit);
  if (vectors.includes(undefined))
    return invalid('the endpoint gives a vector of nothing, or with no number');
  return { type: 'ok', vectors: vectors as Float32Array[] };
}

const invalid = (message: string): ReadVectors => ({ type: 'invalid', message });

function rowsOf(body: Buffer): number[][] | string {
  let answer: unknown;
  try {
    answer = JSON.parse(body.toString('utf8'));
  } catch (error) {
    return `the endpoint's answer is not JSON: ${(error as Error).message}`;
  }
  if (Value.Check(Inference, answer)) return answer;
  if (!Value.Check(OpenAi, answer)) return "the endpoint's answer holds no vectors of numbers";
  return inOrder(answer.data) ?? "the endpoint's answer does not say which vector is whose";
}

/** By `index` where it is given; undefined when an index is missing, twice there, or out of range. */
function inOrder(data: Static<typeof OpenAi>['data']): number[][] | undefined {
  const rows: number[][] = [];
  data.forEach(({ index, embedding }, at) => {
    rows[index ?? at] = embedding;
  });
  const isWhole = rows.length === data.length && Object.keys(rows).length === data.length;
  return isWhole ? rows : undefined;
}

/** At Euclidean length 1; undefined where that can't be. */
function toUnit(row: readonly number[]): Float32Array | undefined {
  const length = Math.hypot(...row);
  if (!Number.isFinite(length) || length === 0) return undefined;
  return Float32Array.from(row, (value) => value / length);
}
