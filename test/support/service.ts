import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PostalMime, { type Email } from 'postal-mime';
import type { Backing } from '#src/backing.ts';
import { type Config, readConfig } from '#src/config.ts';
import { freePort } from '#src/embedded/ports.ts';
import { createLog } from '#src/log.ts';
import { type EmlSink, startEmlSink } from '#src/mail/eml-sink.ts';
import { openService, type Service } from '#src/service.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { waitFor } from './wait.ts';

/** A mail as it came out of the sink. */
export type ReceivedMail = Email & { readonly raw: string };

/** The whole service on a database of its own, delivering into a real SMTP server that keeps the mails. */
export type TestService = {
  readonly url: string;
  readonly db: TestDatabase;
  readonly service: Service;
  /** Mails to an address so far, oldest first. */
  mailsTo(address: string): Promise<ReceivedMail[]>;
  /** Waits until `count` mails to an address are there. */
  waitForMails(address: string, count: number): Promise<ReceivedMail[]>;
  close(): Promise<void>;
};

/** Starts pages, workers and scheduler, with the sample's papers; on PostgreSQL's queue unless `redisUrl` is given. */
export async function startTestService(options: { redisUrl?: string } = {}): Promise<TestService> {
  const folder = await mkdtemp(join(tmpdir(), 'paperboy-e2e-'));
  const db = await createTestDatabase();
  const sink = await startEmlSink(join(folder, 'mail'));
  const port = await freePort();
  const config: Config = readConfig({
    DATABASE_URL: db.url,
    SMTP_URL: sink.url,
    PORT: String(port),
    SECRET: 'a secret for tests, of thirty-two characters',
    SOURCES: 'sample',
    ...(options.redisUrl ? { REDIS_URL: options.redisUrl } : {}),
  });
  const backing: Backing = {
    databaseUrl: db.url,
    database: db.database,
    smtpUrls: [sink.url],
    inboxUrl: null,
    secret: config.secret ?? '',
    close: async () => undefined,
  };
  const log = createLog({ level: 'fatal', pretty: false });
  const service = await openService({ config, backing, log, parts: { web: true, workers: true } });
  await service.ensurePapers();
  return {
    url: `http://localhost:${port}`,
    db,
    service,
    mailsTo: (address) => mailsTo(sink, address),
    waitForMails: (address, count) =>
      waitFor(`${count} mails to ${address}`, async () => {
        const mails = await mailsTo(sink, address);
        return mails.length >= count ? mails : undefined;
      }),
    close: async () => {
      await service.close();
      await sink.close();
      await db.destroy();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function mailsTo(sink: EmlSink, address: string): Promise<ReceivedMail[]> {
  const files = (await readdir(sink.directory)).filter((name) => name.endsWith('.eml'));
  const mails = await Promise.all(
    files.map(async (name) => {
      const raw = await readFile(join(sink.directory, name), 'latin1');
      return { ...(await PostalMime.parse(Buffer.from(raw, 'latin1'))), raw };
    }),
  );
  return mails
    .filter((mail) => mail.to?.some((to) => to.address === address))
    .sort((one, other) => String(one.date).localeCompare(String(other.date)));
}
