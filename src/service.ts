import { join } from 'node:path';
import { startWorkers } from '#workers/start.ts';
import type { Backing } from './backing.ts';
import type { Config } from './config.ts';
import type { Database } from './database/database.ts';
import { readLedgerId } from './digests/ledger-id-store.ts';
import { choosePort } from './embedded/ports.ts';
import { openEndpoint } from './endpoint.ts';
import type { Log } from './log.ts';
import { limitDomains, parseDomainConnections } from './mail/domain-connections.ts';
import type { MailTransport } from './mail/message.ts';
import { createRelayPermits } from './mail/relay-permits.ts';
import { createSlotStore } from './mail/slot-store.ts';
import { parseRelay } from './mail/smtp-relay.ts';
import { createThrottleStore } from './mail/throttle-store.ts';
import { createMailTransport } from './mail/transport.ts';
import type { QueueBackend } from './queue/backend.ts';
import { openQueue } from './queue/queue.ts';
import { openReading } from './reading.ts';
import { createServices } from './services.ts';
import { createWorkerUseCases } from './use-cases.ts';
import { createApp } from './web/app.ts';

/** The running service, or the part of it that this process runs. */
export type Service = {
  /** Where the pages are; null without the web part. */
  readonly pageUrl: string | null;
  /** Makes sure there are papers to show: from the sources, else the sample that comes with Paperboy. */
  ensurePapers(): Promise<void>;
  /** Stops in the opposite order of starting: HTTP, workers, queue, mail. */
  close(): Promise<void>;
};

/** Where the queue is kept, by the configuration. */
export const queueBackend = (config: Config, backing: Pick<Backing, 'databaseUrl'>): QueueBackend =>
  config.queue.kind === 'redis' ? config.queue : { kind: 'postgres', url: backing.databaseUrl };

/**
 * Parts of SHUTDOWN_SECONDS until what hangs is cut off, and until work is no longer waited for; the rest is for closing
 * the queue and the database.
 */
const SHUTDOWN = { cut: 0.6, work: 0.85 };

/** Makes the transport to the relays, with the limits that need the database; it connects when the first message is sent. */
export function openTransport(
  config: Config,
  backing: Pick<Backing, 'smtpUrls' | 'database'>,
  log: Pick<Log, 'fatal' | 'error' | 'warn'>,
): MailTransport {
  if (backing.smtpUrls.length === 0)
    throw new Error('SMTP_URL is not set, and this process has no local mailbox.');
  const { database } = backing;
  const store = createThrottleStore({ database });
  const transport = createMailTransport({
    relays: backing.smtpUrls.map(parseRelay),
    connections: config.smtpConnections,
    closeMs: config.shutdownSeconds * 1000 * SHUTDOWN.cut,
    permits: (relay, onMore) =>
      relay.perMinute === undefined
        ? undefined
        : createRelayPermits({ store, relay, perMinute: relay.perMinute, onMore }),
    onRefused: (relay, reply) => log.fatal({ relay: relay.name, reply }, 'a relay refuses us as a sender'),
    onReach: (relay, fault) =>
      fault === null
        ? log.warn({ relay: relay.name }, 'the relay is in reach again: delivery goes on')
        : log.error(
            { relay: relay.name, reply: fault },
            'the relay is out of reach: is SMTP_URL right, and does it run? What is due is tried again every 20 s',
          ),
  });
  const limits = parseDomainConnections(config.sendLimits.domainConnections);
  return limitDomains({ transport, store: createSlotStore({ database }), limits });
}

/**
 * Where this machine's send journals of a ledger are kept. Each ledger has a folder of its own: what two services on one
 * machine (a trial beside the real one) wrote under the same tokens must not be taken for each other's.
 */
export const journalDirectory = async (config: Config, database: Database): Promise<string> =>
  join(config.dataDir, 'journal', await readLedgerId(database));

/**
 * Starts the parts of the service: queue → mail → use cases → workers → pages.
 * @throws when the queue's backend is out of reach or the port is taken; what was opened is closed then
 */
export async function openService(deps: {
  readonly config: Config;
  readonly backing: Backing;
  readonly log: Log;
  readonly parts: { readonly web: boolean; readonly workers: boolean };
}): Promise<Service> {
  const { config, backing, log, parts } = deps;
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const port = parts.web ? await webPort(config) : config.web.port;
    const baseUrl = config.web.baseUrl ?? `http://localhost:${port}`;
    const now = () => new Date();
    const onError = (error: Error) => log.warn({ err: error }, 'queue fault');
    const queue = await openQueue(queueBackend(config, backing), { onError });
    closers.push(() => queue.close());
    const services = createServices({
      config,
      database: backing.database,
      secret: backing.secret,
      baseUrl,
      queue: queue.queue,
      now,
    });
    await services.topics.syncCatalogue();
    const reading = openReading({ config, database: backing.database, log, now });
    closers.push(() => reading.close());
    const useCases = parts.workers ? await openUseCases() : null;
    if (useCases) {
      const workers = await startWorkers({ queue, useCases: useCases.calls });
      const workMs = config.shutdownSeconds * 1000 * SHUTDOWN.work;
      // Together: the transport gives back what is not on the wire, and so lets the jobs come to their end.
      closers.push(() => Promise.all([workers.close(workMs), useCases.transport.close()]));
    }
    if (parts.web) {
      const app = await openPages();
      closers.push(() => app.close());
    }
    return { pageUrl: parts.web ? baseUrl : null, ensurePapers: reading.ensurePapers, close };

    async function openUseCases() {
      const folder = await journalDirectory(config, backing.database);
      const transport = openTransport(config, backing, log);
      const endpoint = openEndpoint(config);
      if (endpoint) closers.push(() => endpoint.close());
      const calls = createWorkerUseCases({
        services,
        transport,
        config,
        database: backing.database,
        queue: queue.queue,
        backlog: () => queue.depth('digests'),
        journalDirectory: folder,
        log,
        now,
        reading,
        ...(endpoint ? { endpoint } : {}),
      });
      return { calls, transport };
    }

    async function openPages() {
      const app = await createApp(services.webDependencies, {
        baseUrl,
        operatorName: config.sender.operatorName,
        postalAddress: config.sender.postalAddress,
        consentText: services.consentText,
        trustProxy: config.web.trustProxy,
        secret: backing.secret,
        hsts: baseUrl.startsWith('https:'),
        logger: log,
      });
      await app.listen({ host: config.web.host, port });
      return app;
    }
  } catch (error) {
    await close();
    throw error;
  }
}

const webPort = (config: Config): Promise<number> =>
  choosePort(config.web.port, { fixed: config.given.has('PORT'), setting: 'PORT', host: config.web.host });
