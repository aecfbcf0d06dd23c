/** `npm run bench -- NAME`: speed, measured against a yardstick in the same run. One module per benchmark, each with a `run`. */
const BENCHMARKS: Readonly<Record<string, () => Promise<{ run(args: string[]): Promise<void> }>>> = {
  compose: () => import('./compose.ts'),
  delivery: () => import('./delivery.ts'),
  ingest: () => import('./ingest.ts'),
  matching: () => import('./matching.ts'),
  web: () => import('./web.ts'),
};

const [name = '', ...args] = process.argv.slice(2);
const benchmark = BENCHMARKS[name];
if (benchmark) await (await benchmark()).run(args);
else {
  console.error(`usage: npm run bench -- ${Object.keys(BENCHMARKS).join(' | ')}`);
  process.exitCode = 2;
}
