import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type Config, ConfigError, mask } from './config.ts';
import { type Database, pingDatabase } from './database/database.ts';

/** Milliseconds after which a service counts as out of reach. */
const PATIENCE_MS = 10_000;

/** @throws ConfigError naming DATA_DIR when the data folder can't be made or written to */
export async function requireDataFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new ConfigError([
      `DATA_DIR is ${JSON.stringify(folder)}: it can't be written to (${wordsOf(error)}). Set it to a folder that can.`,
    ]);
  }
}

/** @throws ConfigError naming DATABASE_URL when the external database doesn't answer in time */
export async function requireDatabase(config: Config, database: Database): Promise<void> {
  if (config.database.kind === 'embedded') return;
  await require('DATABASE_URL', config.database.url, pingDatabase(database));
}

/** @throws ConfigError naming REDIS_URL when Redis is the queue and doesn't answer in time */
export async function requireRedis(config: Config): Promise<void> {
  if (config.queue.kind === 'postgres') return;
  const redis = new Redis(config.queue.url, { lazyConnect: true, retryStrategy: () => null });
  // ioredis tells the reason by this event alone; its promise only says that the connection is closed.
  const failed = new Promise<never>((_, reject) => redis.once('error', reject));
  try {
    await require('REDIS_URL', config.queue.url, Promise.race([
      redis.connect().then(() => redis.ping()),
      failed,
    ]));
  } finally {
    redis.disconnect();
  }
}

async function require(setting: string, url: string, answer: Promise<unknown>): Promise<void> {
  const late = new AbortController();
  try {
    const timeout = delay(PATIENCE_MS, 'late', { signal: late.signal });
    if ((await Promise.race([answer.then(() => 'there'), timeout])) === 'late')
      throw new Error(`no answer within ${PATIENCE_MS / 1000} s`);
  } catch (error) {
    const shown = JSON.stringify(mask({ secret: 'url' }, url));
    throw new ConfigError([
      `${setting} is ${shown}: nothing can be done there (${wordsOf(error)}). Is it running, and are host, port, user and password right?`,
    ]);
  } finally {
    late.abort();
  }
}

const wordsOf = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  return message || code || String(error);
};
