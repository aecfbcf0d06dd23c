/**
 * A second or so of plain arithmetic over 36 MB, as choosing does it, without database, files or garbage: what `npm run bench -- matching`
 * runs alone and side by side, to tell how many times as much this machine does with several processes. Sends its milliseconds.
 */
const ARRAYS = 3000;
const LENGTH = 3000;
const ROUNDS = 300_000;

const arrays = Array.from({ length: ARRAYS }, (_, at) => new Float32Array(LENGTH).fill(1 / (at + 1)));
const sums = new Float64Array(LENGTH);
const from = performance.now();
for (let round = 0; round < ROUNDS; round += 1) {
  const array = arrays[(round * 7919) % ARRAYS] as Float32Array;
  for (let at = 0; at < LENGTH; at += 1) sums[at] = (sums[at] as number) + (array[at] as number) * 0.5;
}
process.send?.(performance.now() - from);
