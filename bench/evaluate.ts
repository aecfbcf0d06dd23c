/** `npm run eval -- NAME`: quality on the real data beside the project. One module per evaluation, each with a `run`. */
const EVALUATIONS: Readonly<Record<string, () => Promise<{ run(args: string[]): Promise<void> }>>> = {
  trend: () => import('./trend.ts'),
  relevance: () => import('./relevance.ts'),
  mails: () => import('./mails.ts'),
  'fit-prior': () => import('./fit-prior.ts'),
};

const [name = '', ...args] = process.argv.slice(2);
const evaluation = EVALUATIONS[name];
if (evaluation) await (await evaluation()).run(args);
else {
  console.error(`usage: npm run eval -- ${Object.keys(EVALUATIONS).join(' | ')}`);
  process.exitCode = 2;
}
