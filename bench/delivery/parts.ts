import { Session } from 'node:inspector/promises';

/** What each part of a delivery has of the main thread's time, summing up to 1. */
export type Parts = Record<string, number>;

/** Where a script belongs, by its path; the first that fits. Packages count for who uses them. */
const PARTS: readonly (readonly [part: string, path: RegExp])[] = [
  ['sign', /src\/mail\/dkim/],
  ['send', /src\/mail\/(smtp|relay|transport|throttle|slot-store)/],
  [
    'ledger',
    /src\/digests\/(ledger|deliver|delivery|journal|lease|recovery)|src\/mail\/(suppression|halt|delivery-halt)/,
  ],
  ['plan', /src\/digests\/(plan|choose|ranges)|src\/subscribers\/due-store|bench\/delivery\/end-to-end/],
  ['compose', /src\/(mail|digests|subscribers|papers)\//],
  ['queue', /src\/queue\/|node_modules\/(bullmq|ioredis|typebox|cron-parser)\//],
  ['postgres client', /node_modules\/(pg|pg-[a-z]+|kysely|postgres-[a-z]+)\/|src\/database\//],
];

type Frame = { readonly functionName: string; readonly url: string };
type Node = {
  readonly id: number;
  readonly callFrame: Frame;
  readonly children?: readonly number[] | undefined;
};

/**
 * Profiles `work` on the main thread and shares out its CPU: each sample counts for the nearest caller that a part names.
 * What the sockets of the PostgreSQL client read has no other caller than the client, and is a part of its own.
 * Signatures are made by other threads and are not seen.
 */
export async function profileParts<Result>(
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly shares: Parts }> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 500 });
  await session.post('Profiler.start');
  const result = await work();
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  return { result, shares: sharesOf(profile) };
}

function sharesOf(profile: { nodes: readonly Node[]; samples?: number[] | undefined }): Parts {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(profile.nodes.flatMap((node) => (node.children ?? []).map((id) => [id, node.id])));
  const counts: Parts = {};
  let busy = 0;
  for (const sample of profile.samples ?? []) {
    const frame = nodes.get(sample)?.callFrame;
    if (!frame || frame.functionName === '(idle)') continue;
    const part = partOf(sample, nodes, parents);
    counts[part] = (counts[part] ?? 0) + 1;
    busy += 1;
  }
  return Object.fromEntries(Object.entries(counts).map(([part, count]) => [part, count / busy]));
}

function partOf(sample: number, nodes: Map<number, Node>, parents: Map<number, number>): string {
  if (nodes.get(sample)?.callFrame.functionName === '(garbage collector)') return 'garbage collection';
  for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) {
    const url = nodes.get(id)?.callFrame.url ?? '';
    const part = PARTS.find(([, path]) => path.test(url));
    if (part) return part[0];
  }
  return 'node and the rest';
}
