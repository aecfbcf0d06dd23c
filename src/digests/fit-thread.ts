import { parentPort, workerData } from 'node:worker_threads';
import { fitStatistics } from '#src/matching/statistics/fit.ts';
import type { Text } from '#src/matching/text/lexical-index.ts';

// Runs in a thread of its own, see refit-statistics.ts.
const { texts, version } = workerData as { texts: readonly Text[]; version: string };
parentPort?.postMessage(fitStatistics(texts, version));
