import { Redis } from 'ioredis';

/** What a Redis server says of itself, as far as a queue depends on it. */
export type RedisFacts = {
  readonly version: string;
  /** As set by `maxmemory-policy`; a queue needs `noeviction`. */
  readonly evictionPolicy: string;
  /** Octets; 0: no limit. */
  readonly memoryLimit: number;
  readonly memoryUsed: number;
  /** What outlives a restart of it. */
  readonly persistence: 'append-only file' | 'snapshots' | 'none';
  /** Its last snapshot failed: it may take no writes until one succeeds. */
  readonly snapshotFailed: boolean;
};

/** Asks Redis about itself. @throws its error, or one saying that no answer came within `patienceMs` */
export async function readRedisFacts(url: string, patienceMs: number): Promise<RedisFacts> {
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: patienceMs,
    commandTimeout: patienceMs,
  });
  // ioredis tells the reason by this event alone; its promise only says that the connection is closed.
  const failed = new Promise<never>((_, reject) => redis.once('error', reject));
  try {
    return await Promise.race([redis.connect().then(() => ask(redis)), failed]);
  } finally {
    redis.disconnect();
  }
}

async function ask(redis: Redis): Promise<RedisFacts> {
  const info = parseInfo(await redis.info());
  // Hosted ones often refuse CONFIG; then it is not known, and taken for usual.
  const save = await redis.config('GET', 'save').catch(() => null);
  const snapshots = Array.isArray(save) ? save[1] !== '' : true;
  return {
    version: info.get('redis_version') ?? '',
    evictionPolicy: info.get('maxmemory_policy') ?? '',
    memoryLimit: Number(info.get('maxmemory') ?? 0),
    memoryUsed: Number(info.get('used_memory') ?? 0),
    persistence: info.get('aof_enabled') === '1' ? 'append-only file' : snapshots ? 'snapshots' : 'none',
    snapshotFailed: info.get('rdb_last_bgsave_status') === 'err',
  };
}

/** `name:value` a line, sections apart. */
const parseInfo = (text: string): Map<string, string> =>
  new Map(
    text.split(/\r?\n/).flatMap((line) => {
      const colon = line.indexOf(':');
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)] as const] : [];
    }),
  );
