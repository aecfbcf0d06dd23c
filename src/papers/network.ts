import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '#src/database/database.ts';
import { createHttpClient, type HttpClientOptions } from './http/http-client.ts';
import { createLocalRateLimit, createSharedRateLimit } from './rate-limit-store.ts';
import { noMemory } from './source.ts';
import { createSourceMemory } from './source-memory-store.ts';
import { hostsOf, type SourceAddresses } from './sources/addresses.ts';
import type { Network } from './sources/fetch.ts';

/** What the sources' way to the network needs. */
export type NetworkOptions = {
  /** Null for a dry run: rates are kept in this process, nothing is remembered. */
  readonly database: Database | null;
  /** Mail address or page of the operator. */
  readonly contact: string | null;
  readonly now: () => Date;
  /** Folder to keep every answer in, for debugging on demand. */
  readonly keepAnswersIn?: string;
  /** Addresses of services that the operator has set: their hosts may be internal ones. */
  readonly addresses?: Partial<SourceAddresses>;
};

/** The network for `createSources`, with rates and memory shared by all processes on a database. Close it at the end. */
export function createNetwork(options: NetworkOptions): Network & { close(): Promise<void> } {
  const { database, contact, now, keepAnswersIn } = options;
  const http = createHttpClient({
    contact,
    now,
    trustedHosts: hostsOf(options.addresses ?? {}),
    rateLimit: database ? createSharedRateLimit({ database }) : createLocalRateLimit(),
    ...(keepAnswersIn ? { keep: keepIn(keepAnswersIn) } : {}),
  });
  return { http, memory: database ? createSourceMemory({ database }) : noMemory, close: () => http.close() };
}

/** Writes each answer as `{url, status_code, body}` into a folder, the form that `ingest` reads as a recorded call. */
export function keepIn(folder: string): NonNullable<HttpClientOptions['keep']> {
  return async ({ url, status, body, at }) => {
    await mkdir(folder, { recursive: true });
    const name = `${at.toISOString().replaceAll(':', '-')}-${createHash('sha256').update(url).digest('hex').slice(0, 12)}.json`;
    await writeFile(
      join(folder, name),
      JSON.stringify({ url, status_code: status, body: body.toString('utf8') }),
    );
  };
}
